"""The port of a transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bus.envelope import Envelope

#: Says that every listener of a module has a row for an event: the module, and the event as it travelled.
Acknowledge = Callable[[str, Envelope], None]


class Receiver(Protocol):
    """A hosted module's inbox, with the workers that run its listeners."""

    def accept(self, envelope: Envelope, sends: int) -> None:
        """Queue an envelope for the module's workers; returns at once."""
        ...


class Transport(Protocol):
    """Carries envelopes to modules, and their acknowledgements back.

    It may lose, repeat and reorder: what is owed, retried and done already is known to the two modules'
    databases alone. Envelopes that one thread sends to one module should arrive in the order of the sends.
    """

    @property
    def is_local(self) -> bool:
        """Whether it reaches only modules that this process hosts."""
        ...

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge) -> None:
        """Begin to carry: envelopes to these receivers, and acknowledgements to this function."""
        ...

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Take an envelope on its way; must not wait for its listeners.

        Raises:
            Exception: It cannot be taken, or it could never arrive: a local transport has no receiver for the target.
        """
        ...

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Carry an acknowledgement of the receiving module back to the publisher's outbox.

        After `close` it raises nothing: a listener that was running then ends later.
        """
        ...

    def is_ready(self) -> bool:
        """Say whether it can carry now."""
        ...

    def close(self) -> None:
        """Carry nothing more; what is on its way stays in the outbox of its publisher.

        May be repeated; `open` begins anew.
        """
        ...
