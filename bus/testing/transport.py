"""A transport that carries nothing and remembers everything: for a module that is tested alone."""

from __future__ import annotations

from collections.abc import Mapping

from bus.envelope import Envelope
from bus.errors import StoppedError
from bus.transport.base import Acknowledge, Fail, Receiver


class RecordingTransport:
    """Remembers what was sent to modules that are not there, and acknowledges it for them.

    What is sent to a module that the process hosts is delivered to it.

    Attributes:
        sent: What was sent, as pairs of target and envelope, in the order of the sends.
        acknowledged: What was acknowledged, as pairs of the same form.
    """

    is_local = False
    delivers_here = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, Envelope]] = []
        self.acknowledged: list[tuple[str, Envelope]] = []
        self._receivers: Mapping[str, Receiver] = {}
        self._acknowledged: Acknowledge | None = None

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry."""
        self._receivers, self._acknowledged = receivers, acknowledged

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Deliver to a hosted module; acknowledge for any other."""
        self.sent.append((target, envelope))
        if target in self._receivers:
            self._receivers[target].accept(envelope, sends)
        else:
            self.acknowledge(target, envelope)

    def deliver(self, target: str, envelope: Envelope) -> None:
        """Give a hosted module an envelope, as if another process had sent it.

        Raises:
            StoppedError: The transport is closed, or not open yet, or the module is not hosted.
        """
        receiver = self._receivers.get(target)
        if receiver is None:
            raise StoppedError(f"nobody here receives for module {target!r}; start the bus, which hosts it, before")
        receiver.accept(envelope, 1)

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Carry an acknowledgement back to the publisher's outbox, where its module is hosted."""
        self.acknowledged.append((target, envelope))
        if self._acknowledged is not None and envelope.source in self._receivers:
            self._acknowledged(target, envelope.source, envelope.id)

    def leave(self, target: str, envelope: Envelope) -> None:
        """Do nothing."""

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Do nothing: there is no other process."""

    def is_ready(self) -> bool:
        """Say yes."""
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
