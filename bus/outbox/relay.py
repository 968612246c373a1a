"""The relay: takes acknowledgements in, and sends what is due."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Collection, Mapping

from bus.envelope import Envelope
from bus.failpoint import failpoint
from bus.outbox.flow import Flow
from bus.outbox.store import OutboxStore
from bus.transport.base import Send

log = logging.getLogger("bus")

#: Acknowledgements that are taken in with one transaction.
BATCH = 500

#: Envelopes that one claim takes, so that no claim holds a database for long.
CLAIM = 250


class Relay:
    """Works for every module that this process hosts. `run_once` is called by one thread at a time."""

    def __init__(self, stores: Mapping[str, OutboxStore], targets: Collection[str], flow: Flow, send: Send) -> None:
        self._stores = stores
        self._targets = targets
        self._flow = flow
        self._send = send
        self._acknowledged: deque[tuple[str, Envelope]] = deque()

    def acknowledged(self, target: str, envelope: Envelope) -> None:
        """Take an acknowledgement in from any thread; it is written with the next run."""
        self._acknowledged.append((target, envelope))
        self._flow.release(target, (envelope.id,))

    @property
    def unwritten(self) -> int:
        """Acknowledgements that are not written yet."""
        return len(self._acknowledged)

    def acknowledge(self) -> None:
        """Write the acknowledgements that have come in, in batches, a transaction for each publisher's database.

        What a database does not take now is kept for the next run.
        """
        refused: list[tuple[str, Envelope]] = []
        while batch := self._next_batch():
            failpoint("relay.before_acknowledge")
            refused += [pair for source, pairs in _by_source(batch).items() for pair in self._write(source, pairs)]
            failpoint("relay.after_acknowledge")
        self._acknowledged.extend(refused)

    def sweep(self) -> None:
        """Send what is due, oldest first, as far as the flow control has places.

        A module that has none, or whose database is away, keeps nobody else waiting.
        """
        last = self._flow.begin_sweep(self._targets)
        results = [self._sweep_store(source, store) for source, store in self._stores.items()]
        for target in self._targets:
            if all(behind is not None and target not in behind for behind in results):
                self._flow.swept(target, is_last=target in last, send=self.send_fresh)

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        """Send an envelope for the first time, right after its commit; a failure leaves it to the sweep."""
        self._send_one(target, envelope, 1, at="relay.before_hand_over")

    def _sweep_store(self, source: str, store: OutboxStore) -> set[str] | None:
        """Return the modules to which something still waits; None where the database does not say."""
        try:
            return {target for target in store.due_targets(self._targets) if self._send_due(store, target)}
        except Exception:
            # One module's database is away: its rows stay due, and the others go on.
            log.exception("the outbox of %s cannot be swept now", source)
            return None

    def _send_due(self, store: OutboxStore, target: str) -> bool:
        """Send to one module until nothing is due or no place is free; True when something still waits."""
        while places := min(CLAIM, self._flow.free(target)):
            claimed = store.claim(target, places)
            for found in claimed:
                if self._flow.take(target, found.envelope.id):
                    self._send_one(target, found.envelope, found.sends, at="transport.before_send")
            if len(claimed) < places:
                return False
        return True

    def _send_one(self, target: str, envelope: Envelope, sends: int, *, at: str) -> None:
        try:
            failpoint(at)
            self._send(target, envelope, sends)
        except Exception:
            # What is owed stands in the outbox: it is sent again when it is due.
            log.exception("event %s cannot be sent to %s now; it stays in the outbox", envelope.id, target)
            self._flow.release(target, (envelope.id,))

    def _next_batch(self) -> list[tuple[str, Envelope]]:
        return [self._acknowledged.popleft() for _ in range(min(BATCH, len(self._acknowledged)))]

    def _write(self, source: str, received: list[tuple[str, Envelope]]) -> list[tuple[str, Envelope]]:
        """Write acknowledgements into a publisher's database; return those that it did not take."""
        try:
            self._stores[source].acknowledge((target, envelope.id) for target, envelope in received)
        except Exception:
            # Nothing is lost: a row that stays is sent again, and the inbox makes that harmless.
            log.exception("%d acknowledgements cannot be written for %s now", len(received), source)
            return received
        return []


def _by_source(batch: list[tuple[str, Envelope]]) -> dict[str, list[tuple[str, Envelope]]]:
    found: defaultdict[str, list[tuple[str, Envelope]]] = defaultdict(list)
    for target, envelope in batch:
        found[envelope.source].append((target, envelope))
    return found
