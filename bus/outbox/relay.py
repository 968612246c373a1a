"""The relay of one module: takes acknowledgements in, and sends what is due."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Collection, Iterable

from bus.envelope import Envelope
from bus.errors import BrokerAwayError
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
        #: What it has sent to other processes, by target; its targets may be those of other relays too.
        self._sent: defaultdict[str, set[str]] = defaultdict(set)

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
        self._sweep(self._targets)

    def turn(self) -> None:
        """Sweep for those modules alone for which envelopes have waited for a place, where there are places now."""
        if not self.is_direct:
            self._forget_acknowledged(self._targets)
        self._sweep(self._flow.turning(self.source, self._targets))

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        """Send an envelope for the first time, right after its commit; a failure leaves it to the sweep."""
        if self._flow.is_refused(target):
            # Each of them might wait for a broker that is away, in a publisher's thread.
            self._flow.release(target, (envelope.id,))
        else:
            self._send(target, envelope, 1, at="relay.before_hand_over")

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Give back what was sent and never begun: it is due at once."""
        self._store.release(target, event_ids)

    def _sweep(self, targets: Collection[str]) -> None:
        if not targets or not self._flow.is_open:
            return
        last = self._flow.begin_sweep(self.source, targets)
        self._forget_acknowledged(targets)
        due = self._store.due_targets(targets)
        for target in targets:
            if target not in due or self._send_due(target):
                self._flow.swept(self.source, target, is_last=target in last, send=self.send_fresh)

    def _forget_acknowledged(self, targets: Iterable[str]) -> None:
        """Give back the places of what other processes have heard of as acknowledged: it is owed no longer."""
        if self._transport.is_local:
            return
        for target in targets:
            # Publishers send meanwhile: what they add after this is looked at the next time.
            sent = self._sent[target].copy()
            left = sent.intersection(self._flow.ids_left(target))
            gone = left - self._store.still_owed(target, left) if left else set()
            self._flow.release(target, gone)
            self._sent[target].difference_update(sent - left, gone)

    def _send_due(self, target: str) -> bool:
        """Send to one module until nothing is due or no place is free; True when nothing is due any more."""
        # What waits in this process is not lost: it needs no second send, only more time.
        self._store.postpone(target, self._flow.ids_waiting(target))
        if not self._send_again(target):
            return False
        while places := self._flow.reserve(target, CLAIM):
            claimed = self._claim(target, places)
            if not self._send_all(target, claimed):
                return False
            if len(claimed) < places:
                return True
        return False

    def _send_again(self, target: str) -> bool:
        """Send once more what has left this process and is due again; False where it is refused.

        It has its places, so a module that is full of what its broker has lost is not waited for.
        """
        left = self._flow.ids_left(target)
        while left:
            most = 1 if self._flow.is_refused(target) else CLAIM
            claimed = self._store.claim_again(target, left, most)
            if not self._send_all(target, claimed):
                return False
            if len(claimed) < most:
                break
        return True

    def _claim(self, target: str, places: int) -> list[Claimed]:
        claimed: list[Claimed] = []
        try:
            claimed = self._store.claim(target, places)
        finally:
            self._flow.take(target, places, [found.envelope.id for found in claimed])
        return claimed

    def _send_all(self, target: str, claimed: list[Claimed]) -> bool:
        """Send what was claimed; where one is refused, give back those after it, untried, and return False."""
        for number, found in enumerate(claimed, start=1):
            if not self._send(target, found.envelope, found.sends, at="transport.before_send"):
                untried = [rest.envelope.id for rest in claimed[number:]]
                self._flow.release(target, untried)
                self._store.release(target, untried)
                return False
        return True

    def _send(self, target: str, envelope: Envelope, sends: int, *, at: str) -> bool:
        is_sent = False
        try:
            failpoint(at)
            self._transport.send(target, envelope, sends)
            is_sent = True
        except Exception as error:
            # What is owed stands in the outbox: it is sent again when it is due. An outage is told once.
            is_news = self._flow.refuse(target) and self._flow.is_open
            level = logging.ERROR if is_news else logging.DEBUG
            told = "event %s cannot be sent to %s now; what is owed to it stays in the outbox"
            # The transport tells itself why its broker does not answer.
            log.log(level, told, envelope.id, target, exc_info=not isinstance(error, BrokerAwayError))
        finally:
            if not is_sent:
                self._flow.release(target, (envelope.id,))
        if is_sent:
            self._was_sent(target, envelope)
        return is_sent

    def _was_sent(self, target: str, envelope: Envelope) -> None:
        if not self._transport.is_local:
            self._flow.leave(target, envelope.id)
            self._sent[target].add(envelope.id)
        if self._flow.is_refused(target) and self._flow.accept(target):
            log.warning("envelopes can be sent to %s again", target)
