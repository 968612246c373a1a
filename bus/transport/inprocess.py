"""The transport inside one process: from the publisher's thread straight into the module's queue."""

from __future__ import annotations

from collections.abc import Mapping

from bus.envelope import Envelope
from bus.errors import StoppedError
from bus.transport.base import Acknowledge, Fail, Receiver


class InProcessTransport:
    """Hands envelopes over in memory; every subscriber has to be hosted in the process.

    The queues are bounded by the flow control before them.
    """

    is_local = True
    delivers_here = True

    def __init__(self) -> None:
        self._receivers: Mapping[str, Receiver] = {}
        self._acknowledged: Acknowledge | None = None

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry."""
        self._receivers = receivers
        self._acknowledged = acknowledged

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Put the envelope into the queue of the module's workers.

        Raises:
            StoppedError: The transport is closed, or nobody here receives for the module.
        """
        receiver = self._receivers.get(target)
        if receiver is None:
            raise StoppedError(f"nobody in this process receives for module {target!r}")
        receiver.accept(envelope, sends)

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Tell the relay of this process, which owns the publisher's outbox too."""
        if self._acknowledged is not None:
            self._acknowledged(target, envelope.source, envelope.id)

    def leave(self, target: str, envelope: Envelope) -> None:
        """Do nothing: the relay is told by the process itself."""

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Do nothing: there is no other process."""

    def is_ready(self) -> bool:
        """Say yes: there is nothing between the modules that could be away."""
        return True

    def where(self) -> str:
        """Say that there is only one process."""
        return "in one process"

    def workers(self, module: str) -> int | None:
        """Count this process."""
        return 1

    def close(self) -> None:
        """Carry nothing more."""
        self._receivers = {}

    def end(self) -> None:
        """Do nothing: nothing is on its way."""

    def renew(self) -> None:
        """Forget to whom it carries."""
        self._receivers = {}
