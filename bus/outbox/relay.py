"""The relay of one module: takes acknowledgements in, and sends what is due."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Iterable

from bus.envelope import Envelope
from bus.failpoint import failpoint
from bus.outbox.flow import Flow
from bus.outbox.store import Claimed, OutboxStore
from bus.transport.base import Transport

log = logging.getLogger("bus")

#: Acknowledgements that are taken in with one transaction.
BATCH = 500

#: Envelopes that one claim takes, so that no claim holds a database for long.
CLAIM = 250


class Relay:
    """Drains one module's outbox. `acknowledge` and `sweep` are called by one thread at a time."""

    def __init__(
        self, source: str, store: OutboxStore, targets: Collection[str], *, flow: Flow, transport: Transport
    ) -> None:
        self.source = source
        self._store = store
        self._targets = targets
        self._flow = flow
        self._transport = transport
        self._acknowledged: deque[tuple[str, str]] = deque()

    @property
    def unwritten(self) -> int:
        """Acknowledgements that are not written yet."""
        return len(self._acknowledged)

    @property
    def is_direct(self) -> bool:
        """Whether nothing waits in the outbox for a place, and nothing is held."""
        return self._flow.is_direct(self.source)

    def acknowledged(self, target: str, event_id: str) -> None:
        """Take an acknowledgement in from any thread; it is written with the next `acknowledge`."""
        self._acknowledged.append((target, event_id))
        self._flow.release(target, (event_id,))

    def acknowledge(self) -> None:
        """Write the acknowledgements that have come in, in batches; what is not taken now is kept."""
        while self._acknowledged:
            batch = [self._acknowledged.popleft() for _ in range(min(BATCH, len(self._acknowledged)))]
            failpoint("relay.before_acknowledge")
            try:
                self._store.acknowledge(batch)
            except BaseException:
                self._acknowledged.extend(batch)
                raise
            failpoint("relay.after_acknowledge")

    def sweep(self) -> None:
        """Send what is due, oldest first, as far as the flow control has places; nothing once that is closed."""
        if not self._flow.is_open:
            return
        last = self._flow.begin_sweep(self.source, self._targets)
        due = self._store.due_targets(self._targets)
        for target in self._targets:
            if target not in due or self._send_due(target):
                self._flow.swept(self.source, target, is_last=target in last, send=self.send_fresh)

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        """Send an envelope for the first time, right after its commit; a failure leaves it to the sweep."""
        self._send(target, envelope, 1, at="relay.before_hand_over")

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Give back what was sent and never begun: it is due at once."""
        self._store.release(target, event_ids)

    def _send_due(self, target: str) -> bool:
        """Send to one module until nothing is due or no place is free; True when nothing is due any more."""
        while places := self._flow.reserve(target, CLAIM):
            claimed = self._claim(target, places)
            for found in claimed:
                self._send(target, found.envelope, found.sends, at="transport.before_send")
            if len(claimed) < places:
                return True
        return False

    def _claim(self, target: str, places: int) -> list[Claimed]:
        claimed: list[Claimed] = []
        try:
            if self._transport.is_local:
                # What waits in this process is not lost: it needs no second send, only more time.
                self._store.postpone(target, self._flow.ids_on_their_way(target))
            claimed = self._store.claim(target, places)
        finally:
            self._flow.take(target, places, [found.envelope.id for found in claimed])
        return claimed

    def _send(self, target: str, envelope: Envelope, sends: int, *, at: str) -> None:
        is_sent = False
        try:
            failpoint(at)
            self._transport.send(target, envelope, sends)
            is_sent = True
        except Exception:
            # What is owed stands in the outbox: it is sent again when it is due.
            log.exception("event %s cannot be sent to %s now; it stays in the outbox", envelope.id, target)
        finally:
            if not is_sent:
                self._flow.release(target, (envelope.id,))
