"""The life of an assembled bus in one process: for each hosted module a relay, and workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from bus.clock import Clock
from bus.courtesy import Courtesy
from bus.database import Database
from bus.database_errors import database_trouble, reason_of
from bus.envelope import Envelope
from bus.errors import DrainTimeoutError
from bus.history.store import HistoryStore
from bus.history.watch import HistoryWatch
from bus.inbox.inbox import Inbox
from bus.inbox.pauses import PauseStore
from bus.inbox.quarantine import QuarantineStore
from bus.inbox.retention import Forgetter
from bus.inbox.solitude import Solitude
from bus.inbox.status import listener_statuses
from bus.inbox.store import InboxStore
from bus.inbox.workers import Workers
from bus.operations import Operations
from bus.outbox.flow import Flow
from bus.outbox.loop import RelayLoop
from bus.outbox.relay import Relay
from bus.outbox.store import OutboxStore
from bus.reach import Reach
from bus.status import ModuleStatus
from bus.transport.base import Transport

log = logging.getLogger("bus")

#: Seconds between the first two looks whether everything is drained, doubled each time, and the longest.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.1

#: Seconds that the relays have at least for their last writes; gunicorn waits two when it is told to end quickly.
LAST_WRITES = 1.0


@dataclass(frozen=True, slots=True)
class Hosted:
    """The parts of one module that this process hosts."""

    database: Database
    clock: Clock
    outbox: OutboxStore
    inbox_store: InboxStore
    inbox: Inbox
    pauses: PauseStore
    quarantine: QuarantineStore
    forgetter: Forgetter
    history: HistoryStore
    listener_ids: Callable[[], tuple[str, ...]]


class Runtime:
    """Carries recorded events to their listeners.

    Made stopped; `start` makes it run, once, from any thread. A forked child inherits it stopped. While it does
    not run, events are recorded all the same, and are due at once for whoever runs next.

    Attributes:
        operations: What an operator asks of the hosted modules.
    """

    def __init__(
        self,
        hosted: Mapping[str, Hosted],
        targets: Collection[str],
        transport: Transport,
        *,
        flow: Flow,
        solitude: Solitude,
        courtesy: Courtesy,
        operations: Operations,
        reach: Reach,
    ) -> None:
        self.operations = operations
        self._hosted = hosted
        self._targets = targets
        self._transport = transport
        self._flow = flow
        self._solitude = solitude
        self._courtesy = courtesy
        self._reach = reach
        self._renew()

    @property
    def hosted(self) -> Mapping[str, Hosted]:
        """The parts of each module that this process hosts."""
        return self._hosted

    def start(self) -> bool:
        """Start the relays and the workers, and sweep at once; return whether they did not run before."""
        if self._is_running:
            return False
        with self._lock:
            if self._is_running:
                return False
            self._start()
            return True

    def stop(self, grace: float) -> bool:
        """Take nothing new, wait at most `grace` seconds for what runs, write and release the rest.

        An exception that a signal's handler raises meanwhile cuts the waiting short, and goes on to the caller when
        the rest is released.
        """
        with self._lock:
            if not self._is_running:
                return False
            self._stop(grace)
            return True

    def runs_here(self) -> bool:
        """Say whether this thread is a worker or a relay."""
        return threading.current_thread() in self._threads()

    def drain(self, timeout: float) -> None:
        """Return when no hosted module owes or retries anything; it has been started.

        Raises:
            DrainTimeoutError: Something is still owed after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        pause = SHORTEST_PAUSE
        while not self._is_settled():
            if time.monotonic() > deadline:
                raise DrainTimeoutError(self._owed(), timeout)
            for loop in self._loops.values():
                loop.wake()
            # Little is done at once; while there is much to do, looking whether it is done must not be the most of it.
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def status(self) -> list[ModuleStatus]:
        """Return what each hosted module owes and how its listeners fare."""
        return [_status(name, parts) for name, parts in sorted(self._hosted.items())]

    def is_ready(self) -> bool:
        """Say whether the transport can carry now."""
        return self._transport.is_ready()

    def where(self) -> str:
        """Say where events travel, in words for people."""
        return self._transport.where()

    def unserved(self) -> list[str]:
        """Return the modules that acknowledge nothing of what this process has sent them, sorted."""
        return self._reach.unserved()

    def wake(self, source: str) -> None:
        """Have a module's outbox swept now, where the runtime runs."""
        loop = self._loops.get(source)
        if loop is not None:
            loop.hurry()

    def send_fresh(self, target: str, envelope: Envelope) -> None:
        """Send an envelope right after its commit; a failure leaves it to the sweep."""
        self._relays[envelope.source].send_fresh(target, envelope)

    def give_back(self, source: str, target: str, event_ids: list[str]) -> None:
        """Make due at once what was committed when this runtime had stopped sending; a failure leaves it for later."""
        try:
            self._hosted[source].outbox.release(target, event_ids)
        except Exception as error:
            trace = None if database_trouble(error) else error
            log.warning("what %s owes to %s is due later: %s", source, target, reason_of(error), exc_info=trace)

    def before_fork(self) -> None:
        """Close idle connections, so that a child inherits none."""
        for parts in self._hosted.values():
            parts.database.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for parts in self._hosted.values():
            parts.database.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Begin anew: the parent's threads, queues and connections are not the child's own."""
        for parts in self._hosted.values():
            parts.database.after_fork_in_child()
            parts.inbox.pausing.renew()
        self._transport.renew()
        self._renew()

    def _renew(self) -> None:
        self._flow.renew()
        self._solitude.renew()
        self._courtesy.renew()
        self._reach.renew()
        self._is_running = False
        self._lock = threading.Lock()
        self._workers: dict[str, Workers] = {}
        self._loops: dict[str, RelayLoop] = {}
        self._relays: dict[str, Relay] = {}

    def _start(self) -> None:
        self._flow.renew()
        self._reach.renew()
        self._relays = {
            name: Relay(name, parts.outbox, self._targets, flow=self._flow, transport=self._transport)
            for name, parts in self._hosted.items()
        }
        self._workers = {
            name: Workers(
                parts.inbox,
                parts.database.workers,
                self._finished,
                courtesy=self._courtesy,
                begun=self._flow.leave,
            )
            for name, parts in self._hosted.items()
        }
        self._loops = {
            name: RelayLoop(relay, _looks(name, self._workers_of(name), self._hosted[name], self._reach))
            for name, relay in self._relays.items()
        }
        for parts in self._hosted.values():
            # What is paused must not run before the first sweep has looked; a database that is away is asked then.
            with suppress(SQLAlchemyError):
                parts.inbox.pausing.refresh()
        self._transport.open(self._workers, self._acknowledged, self._failed)
        self._flow.open()
        for name, workers in self._workers.items():
            if self._transport.delivers_here:
                workers.start()
            self._loops[name].thread.start()
        self._is_running = True

    def _workers_of(self, name: str) -> Workers | None:
        """Return what runs a module's listeners here; None where other processes do."""
        return self._workers[name] if self._transport.delivers_here else None

    def _stop(self, grace: float) -> None:
        deadline = time.monotonic() + grace
        try:
            self._take_nothing_new()
            for workers in self._workers.values():
                workers.wait(deadline)
        except BaseException:
            deadline = time.monotonic()
            raise
        finally:
            self._end_relays(deadline)
            self._transport.end()
            self._is_running = False
            for parts in self._hosted.values():
                parts.database.close()

    def _take_nothing_new(self) -> None:
        """Let no worker begin anything, and give back what waits, before any listener that still runs is waited for."""
        self._flow.close(self.send_fresh)
        self._transport.close()
        for target, workers in self._workers.items():
            self._give_back((target, envelope) for envelope in workers.refuse())

    def _end_relays(self, deadline: float) -> None:
        unended = [(target, envelope) for target, workers in self._workers.items() for envelope in workers.unended()]
        barrier = threading.Barrier(max(1, len(self._loops)))
        for name, loop in self._loops.items():
            ours = [(target, envelope) for target, envelope in unended if envelope.source == name]
            loop.end(partial(self._take_last_step, name, barrier, ours))
        deadline = max(deadline, time.monotonic() + LAST_WRITES)
        for loop in self._loops.values():
            loop.thread.join(max(0.0, deadline - time.monotonic()))
        self._give_back((target, envelope) for target, envelope in unended if envelope.source not in self._loops)

    def _take_last_step(self, name: str, barrier: threading.Barrier, ours: list[tuple[str, Envelope]]) -> None:
        """Roll back what still runs in a module; give back what it has published when that is done in every module.

        Not before: whoever is given it would find that it runs, and leave it.
        """
        try:
            self._hosted[name].inbox.give_back()
        finally:
            with suppress(threading.BrokenBarrierError):
                barrier.wait(LAST_WRITES / 2)
            self._give_back(ours)

    def _give_back(self, left: Iterable[tuple[str, Envelope]]) -> None:
        for target, envelope in left:
            # What another process has published is not ours to send; it may still be in our hands.
            if envelope.source in self._loops:
                self._loops[envelope.source].give_back([(target, envelope.id)])
                self._transport.leave(target, envelope)
            else:
                self._transport.give_back(target, envelope)

    def _threads(self) -> list[threading.Thread]:
        loops = [loop.thread for loop in self._loops.values()]
        return loops + [thread for workers in self._workers.values() for thread in workers.threads]

    def _finished(self, target: str, envelope: Envelope, is_done: bool) -> None:
        if is_done:
            self._transport.acknowledge(target, envelope)
        else:
            self._flow.release(target, (envelope.id,))
            self._transport.leave(target, envelope)

    def _acknowledged(self, target: str, source: str, event_id: str) -> None:
        self._relays[source].acknowledged(target, event_id)
        self._loops[source].acknowledged()

    def _failed(self, target: str, source: str, event_id: str) -> None:
        self._flow.release(target, (event_id,))
        self._loops[source].give_back([(target, event_id)])

    def _is_settled(self) -> bool:
        admitted = self._flow.admitted
        if not self._is_quiet() or any(self._owed().values()):
            return False
        return self._is_quiet() and admitted == self._flow.admitted

    def _is_quiet(self) -> bool:
        is_idle = all(workers.is_idle() for workers in self._workers.values())
        unwritten = any(relay.unwritten for relay in self._relays.values())
        return is_idle and not unwritten and not self._flow.on_their_way()

    def _owed(self) -> dict[str, int]:
        return {
            name: sum(owed.count for owed in parts.outbox.owed()) + parts.inbox_store.retrying()
            for name, parts in self._hosted.items()
        }


def _status(name: str, parts: Hosted) -> ModuleStatus:
    listeners = listener_statuses(
        name, parts.listener_ids(), parts.inbox_store.counts(), parts.pauses.all(), parts.clock.microseconds()
    )
    held = parts.history.held_back()
    return ModuleStatus(
        name,
        tuple(parts.outbox.owed()),
        listeners,
        len(parts.quarantine.all()),
        None if held is None else held.microseconds / 1e6,
    )


def _looks(name: str, workers: Workers | None, parts: Hosted, reach: Reach) -> Callable[[], None]:
    """Return what a module's relay does at each sweep beside its own work."""
    watch = HistoryWatch(name, parts.history)

    def look() -> None:
        if workers is not None:
            workers.look_for_retries()
        parts.forgetter.look()
        watch.look()
        reach.look()

    return look
