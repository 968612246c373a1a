"""The life of an assembled bus in one process: one bus thread, and each hosted module's workers."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bus.database import Database
from bus.envelope import Envelope
from bus.errors import BusError, DrainTimeoutError
from bus.inbox.inbox import Inbox
from bus.inbox.store import InboxStore
from bus.inbox.workers import Workers
from bus.outbox.flow import Flow
from bus.outbox.relay import BATCH, Relay
from bus.outbox.store import OutboxStore
from bus.status import ListenerStatus, ModuleStatus
from bus.transport.base import Transport

log = logging.getLogger("bus")

#: Seconds between two looks for what has come due.
SWEEP_INTERVAL = 1.0

#: The same while envelopes wait for places, or are held behind others.
TURN_INTERVAL = 0.05

#: Seconds for which acknowledgements are gathered, so that one transaction takes many.
GATHER = 0.01

#: Seconds that running listeners have to finish when the interpreter exits.
GRACE = 20.0

#: Threads that run one module's listeners: SQLite has one writer, so a second thread would only wait.
WORKERS_ON_SQLITE = 1


@dataclass(frozen=True, slots=True)
class Hosted:
    """The parts of one module that this process hosts."""

    database: Database
    outbox: OutboxStore
    inbox_store: InboxStore
    inbox: Inbox
    listener_ids: Callable[[], tuple[str, ...]]


class Runtime:
    """Carries recorded events to their listeners.

    Made stopped; `start` makes it run, once, from any thread. A forked child inherits it stopped. While it does
    not run, events are recorded all the same, and are due at once for whoever runs next.
    """

    def __init__(
        self, hosted: Mapping[str, Hosted], targets: Collection[str], transport: Transport, flow: Flow
    ) -> None:
        self._hosted = hosted
        self._targets = targets
        self._transport = transport
        self._flow = flow
        self._renew()

    def start(self) -> None:
        """Start the bus thread and the workers, and sweep at once."""
        if self._is_running or self._is_over:
            return
        with self._lock:
            if not (self._is_running or self._is_over):
                self._start()

    def stop(self, grace: float) -> None:
        """Take nothing new, wait at most `grace` seconds for what runs, write and release the rest.

        Raises:
            BusError: It was called by a listener, which would wait for its own end.
        """
        if threading.current_thread() in self._threads():
            raise BusError(
                "stop() in a listener would wait for the listener's own end; call it outside the bus's threads"
            )
        with self._lock:
            if self._is_running:
                self._stop(grace)

    def drain(self, timeout: float) -> None:
        """Start if need be, and return when no hosted module owes or retries anything.

        Raises:
            DrainTimeoutError: Something is still owed after `timeout` seconds.
        """
        self.start()
        deadline = time.monotonic() + timeout
        while not self._is_settled():
            if time.monotonic() > deadline:
                raise DrainTimeoutError(self._owed(), timeout)
            self._passed.clear()
            self.wake()
            self._passed.wait(0.05)

    def status(self) -> list[ModuleStatus]:
        """Return what each hosted module owes and how its listeners fare."""
        return [_status(name, parts) for name, parts in sorted(self._hosted.items())]

    def is_ready(self) -> bool:
        """Say whether the transport can carry now."""
        return self._transport.is_ready()

    def wake(self) -> None:
        """Make the bus thread sweep now."""
        self._sweep_at = 0.0
        self._woken.set()

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        """Send an envelope right after its commit; raises nothing."""
        self._relay.send_fresh(target, envelope)

    def after_fork(self) -> None:
        """Begin anew in a forked child: its parent's threads, queues and connections are not its own."""
        for parts in self._hosted.values():
            parts.database.forget_connections()
        self._flow.renew()
        self._renew()

    def before_fork(self) -> None:
        """Close idle connections, so that a child inherits none."""
        for parts in self._hosted.values():
            parts.database.close()

    def _renew(self) -> None:
        self._is_running = False
        self._is_over = False
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._passed = threading.Event()
        self._gathered = threading.Event()
        self._sweep_at = 0.0
        self._is_stopping = False
        self._workers: dict[str, Workers] = {}
        stores = {name: parts.outbox for name, parts in self._hosted.items()}
        self._relay = Relay(stores, self._targets, self._flow, self._transport.send)
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        self._flow.renew()
        self._renew_threads()
        self._transport.open(self._workers, self._acknowledged)
        self._flow.open()
        for workers in self._workers.values():
            workers.start()
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self._thread.start()
        atexit.register(self._stop_at_exit)
        self._is_running = True

    def _renew_threads(self) -> None:
        self._is_stopping, self._sweep_at = False, 0.0
        self._workers = {
            name: Workers(parts.inbox, WORKERS_ON_SQLITE, self._finished) for name, parts in self._hosted.items()
        }

    def _stop_at_exit(self) -> None:
        # A request that is still being served must not start it again.
        self._is_over = True
        self.stop(GRACE)

    def _stop(self, grace: float) -> None:
        deadline = time.monotonic() + grace
        try:
            self._end_threads(deadline)
        finally:
            # An impatient second signal may cut the waiting short: what is left comes due by itself.
            atexit.unregister(self._stop_at_exit)
            self._is_running = False
            for parts in self._hosted.values():
                parts.database.close()

    def _end_threads(self, deadline: float) -> None:
        self._is_stopping = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join(max(1.0, deadline - time.monotonic()))
        self._flow.close(self._relay.send_fresh)
        self._transport.close()
        left = {name: workers.stop(deadline) for name, workers in self._workers.items()}
        self._relay.acknowledge()
        for target, envelopes in left.items():
            self._release(target, envelopes)

    def _threads(self) -> list[threading.Thread | None]:
        return [self._thread, *(thread for workers in self._workers.values() for thread in workers.threads)]

    def _release(self, target: str, envelopes: list[Envelope]) -> None:
        by_source: defaultdict[str, list[str]] = defaultdict(list)
        for envelope in envelopes:
            by_source[envelope.source].append(envelope.id)
        for source, event_ids in by_source.items():
            try:
                self._hosted[source].outbox.release(target, event_ids)
            except Exception:
                # They come due by themselves, only later.
                log.exception("%d envelopes for %s could not be released", len(event_ids), target)

    def _finished(self, target: str, envelope: Envelope, is_done: bool) -> None:
        if is_done:
            self._transport.acknowledge(target, envelope)
        else:
            self._flow.release(target, (envelope.id,))

    def _acknowledged(self, target: str, envelope: Envelope) -> None:
        self._relay.acknowledged(target, envelope)
        if self._relay.unwritten >= BATCH:
            self._gathered.set()
        self._woken.set()

    def _run(self) -> None:
        while not self._is_stopping:
            self._woken.wait(max(0.0, self._sweep_at - time.monotonic()))
            if self._sweep_at:
                self._gathered.wait(GATHER)
            self._woken.clear()
            self._gathered.clear()
            try:
                self._pass()
            except Exception:
                # The bus thread outlives whatever one pass meets; what is due stays due.
                log.exception("a pass of the bus thread failed")
            self._passed.set()

    def _pass(self) -> None:
        self._relay.acknowledge()
        if time.monotonic() < self._sweep_at and self._flow.is_direct():
            return
        self._sweep_at = time.monotonic() + SWEEP_INTERVAL
        self._relay.sweep()
        self._retry()
        if not self._flow.is_direct():
            self._sweep_at = min(self._sweep_at, time.monotonic() + TURN_INTERVAL)

    def _retry(self) -> None:
        for name, workers in self._workers.items():
            try:
                if workers.inbox.has_due():
                    workers.retry()
            except Exception:
                # One module's database is away: its publications stay due, and the others go on.
                log.exception("the inbox of %s cannot be read now", name)

    def _is_settled(self) -> bool:
        admitted = self._flow.admitted
        if not self._is_quiet() or any(self._owed().values()):
            return False
        return self._is_quiet() and admitted == self._flow.admitted

    def _is_quiet(self) -> bool:
        is_idle = all(workers.is_idle() for workers in self._workers.values())
        return is_idle and not self._flow.on_their_way() and not self._relay.unwritten

    def _owed(self) -> dict[str, int]:
        return {
            name: sum(owed.count for owed in parts.outbox.owed()) + parts.inbox_store.retrying()
            for name, parts in self._hosted.items()
        }


def _status(name: str, parts: Hosted) -> ModuleStatus:
    counts = {found.listener_id: found for found in parts.inbox_store.counts()}
    known = parts.listener_ids()
    listeners = tuple(
        ListenerStatus(
            id=id,
            completed=counts[id].completed if id in counts else 0,
            retrying=counts[id].retrying if id in counts else 0,
            last_error=counts[id].last_error if id in counts else None,
            known=id in known,
        )
        for id in sorted({*known, *counts})
    )
    return ModuleStatus(name, tuple(parts.outbox.owed()), listeners)
