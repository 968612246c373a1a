"""A transport that delivers everything twice, so that a test proves that a second time does no harm."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from bus.envelope import Envelope
from bus.transport.base import Acknowledge, Fail, Receiver, Transport

#: An envelope on its way: the module it goes to, and its id.
_Way = tuple[str, str]


class RepeatingTransport:
    """Carries what another transport carries, and every envelope twice; thread-safe.

    The second time comes when the receiving module has acknowledged the first, so that its inbox cannot take both
    for one; the publisher hears of the second acknowledgement alone.

    Attributes:
        repeated: How many envelopes were delivered a second time.
    """

    def __init__(self, inner: Transport, *, after_all: bool = False) -> None:
        """Wrap a transport.

        Args:
            inner: What carries.
            after_all: Hold second deliveries back until every first one that is on its way is acknowledged.
        """
        self.repeated = 0
        self._inner = inner
        self._after_all = after_all
        self._lock = threading.Lock()
        self._first: dict[_Way, tuple[Envelope, int]] = {}
        self._held: dict[_Way, tuple[Envelope, int]] = {}

    @property
    def is_local(self) -> bool:
        """Whether the other transport reaches only modules that this process hosts."""
        return self._inner.is_local

    @property
    def delivers_here(self) -> bool:
        """Whether the other transport delivers in this process."""
        return self._inner.delivers_here

    def open(self, receivers: Mapping[str, Receiver], acknowledged: Acknowledge, failed: Fail) -> None:
        """Begin to carry."""
        self._inner.open(receivers, acknowledged, failed)

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        """Take an envelope on its first way; raises what the other transport raises."""
        with self._lock:
            self._first[target, envelope.id] = envelope, sends
        try:
            self._inner.send(target, envelope, sends)
        except BaseException:
            with self._lock:
                self._first.pop((target, envelope.id), None)
            raise

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        """Deliver once more what is acknowledged for the first time; carry a second acknowledgement back."""
        with self._lock:
            first = self._first.pop((target, envelope.id), None)
            if first is not None:
                self._held[target, envelope.id] = first
            again = self._take_held()
        if first is None:
            self._inner.acknowledge(target, envelope)
        for (to, _), (held, sends) in again.items():
            self._inner.send(to, held, sends)

    def leave(self, target: str, envelope: Envelope) -> None:
        """Tell the other transport that a delivery has ended without its acknowledgement."""
        self._inner.leave(target, envelope)

    def give_back(self, target: str, envelope: Envelope) -> None:
        """Tell the other transport that a delivery will not be made here."""
        self._inner.give_back(target, envelope)

    def is_ready(self) -> bool:
        """Say whether the other transport can carry now."""
        return self._inner.is_ready()

    def where(self) -> str:
        """Say what the other transport says."""
        return self._inner.where()

    def workers(self, module: str) -> int | None:
        """Count as the other transport does."""
        return self._inner.workers(module)

    def close(self) -> None:
        """Carry nothing more, and repeat nothing: acknowledgements that still come are carried back at once."""
        with self._lock:
            self._first.clear()
            self._held.clear()
        self._inner.close()

    def end(self) -> None:
        """Have the other transport end."""
        self._inner.end()

    def renew(self) -> None:
        """Begin anew, as the other transport does."""
        self._lock = threading.Lock()
        self._first.clear()
        self._held.clear()
        self._inner.renew()

    def _take_held(self) -> dict[_Way, tuple[Envelope, int]]:
        if self._after_all and self._first:
            return {}
        again, self._held = self._held, {}
        self.repeated += len(again)
        return again
