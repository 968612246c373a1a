"""The port of a transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bus.envelope import Envelope

#: Says that every listener of a module has a row for an event: the module, the event's publisher, and its id.
Acknowledge = Callable[[str, str, str], None]

#: Says that an envelope that was taken did not go out after all: the module it was for, its publisher, and its id.
Fail = Callable[[str, str, str], None]


class Receiver(Protocol):
    """A hosted module's inbox, with the workers that run its listeners."""

    def accept(self, envelope: Envelope, sends: int) -> None:
        """Queue an envelope for the module's workers; returns at once.

        Raises:
            StoppedError: Nothing more is begun here.
        """
        ...

    def run(self, envelope: Envelope, sends: int) -> None:
        """Run an envelope in this thread, when it is its turn; or queue it, where it cannot be run now.

        Raises:
            StoppedError: Nothing more is begun here.
        """
        ...

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None:
        """Keep what came for the module and was no envelope.

        Raises:
            Exception: The module's database does not take it.
        """
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

    @property
    def delivers_here(self) -> bool:
        """Whether this process runs listeners; otherwise it only publishes, and others run them."""
        ...

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry: envelopes to these receivers, and acknowledgements and failures to these functions."""
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

    def leave(self, target: str, envelope: Envelope) -> None:
        """Hear that a delivery to a hosted module has ended without its acknowledgement: it will be sent again."""
        ...

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Hear that a delivery to a hosted module will not be made here: where another process can, it has it at once.

        Raises nothing: what is not given back is sent again.
        """
        ...

    def is_ready(self) -> bool:
        """Say whether it can carry now; one that is not open finds that out."""
        ...

    def where(self) -> str:
        """Say where envelopes travel, in words for people: `in one process`, `RabbitMQ, 4 processes`."""
        ...

    def workers(self, module: str) -> int | None:
        """Return how many processes run a module's listeners; None where nobody can know, as the broker is away."""
        ...

    def close(self) -> None:
        """Carry nothing more; what is on its way stays in the outbox of its publisher.

        What still runs may be acknowledged, or given back. May be repeated; `open` begins anew.
        """
        ...

    def end(self) -> None:
        """After `close`: have what was acknowledged and given back sent, within a second or two, and connect no more.

        May be repeated.
        """
        ...

    def renew(self) -> None:
        """Begin anew in a forked child, not open: threads, locks, connections and who it is are the parent's.

        The parent's connections are forgotten, not closed.
        """
        ...
