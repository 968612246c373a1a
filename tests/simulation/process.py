"""One simulated process: an assembled bus whose relays and workers are driven by hand, and that can be killed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import insert

from bus import Database, Envelope, assemble
from bus.clock import Clock, IdSource
from bus.courtesy import Courtesy
from bus.hosting import Stores, Surroundings, hearing_of, inbox_of
from bus.inbox.inbox import Inbox
from bus.inbox.retention import RETENTION, Forgetter
from bus.inbox.solitude import Solitude
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.views import Views
from bus.inbox.workers import Workers
from bus.outbox.flow import Flow
from bus.outbox.recorder import Carrier, OutboxRecorder
from bus.outbox.relay import Relay
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.transport.inprocess import InProcessTransport
from tests.simulation.shop import KITCHEN, NAMES, ORDER, ORDERS, TABLES, Listeners, OrderPlaced


class Killed(BaseException):
    """Unwinds the step of a process that has been killed; nothing that it passes can reach a database any more."""


class RolledBack(Exception):
    """Leaves a transaction that is to be rolled back."""


class SteppedWorkers(Workers):
    """Workers whose waits for a database that is away end at once: they come back to it with their next step."""

    def _is_stopped_within(self, seconds: float) -> bool:
        return True


class WatchedSolitude(Solitude):
    """Waits for nobody, as there is nobody else while one waits."""

    def __init__(self) -> None:
        super().__init__(patience=0)

    @property
    def is_taken(self) -> bool:
        """Whether a run is alone now: a worker that began another would wait until that has ended."""
        return self._is_wanted


class Watched(InProcessTransport):
    """The transport of one process, which tells what it sends."""

    def __init__(self, seen: Callable[[str, Envelope], None]) -> None:
        super().__init__()
        self._seen = seen

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        self._seen(target, envelope)
        super().send(target, envelope, sends)


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What a process finds around it.

    Attributes:
        folder: Where the files of the databases are.
        server: The clock of the databases.
        ids: The ids of its events.
        sent: Hears what it sends.
        dying: Hears that it dies.
    """

    folder: Path
    server: Clock
    ids: IdSource
    sent: Callable[[str, Envelope], None]
    dying: Callable[[Process], None]


class Process:
    """A process that hosts both modules, on databases that it shares with the other processes.

    Its memory is new with each `begin`; what costs time to make, its engines and stores, serves again and again.

    Attributes:
        is_dead: Whether it was killed and has not begun again. Whatever it asks a database then raises Killed.
        at_work: What a step of it is in the middle of: its workers and relays, each of which is one thread.
    """

    def __init__(self, around: Surrounding, runs: Counter[int], *, clock: Clock, limit: int) -> None:
        self._around = around
        self._limit = limit
        self._random = random.Random()
        self.databases = {
            name: Database(name, f"sqlite:///{around.folder}/{name}.db", metadata=TABLES[name]) for name in NAMES
        }
        self.bus = assemble([ORDER, KITCHEN], self.databases, clock=clock, ids=around.ids)
        self._outboxes = {name: SqlAlchemyOutboxStore(found, around.server) for name, found in self.databases.items()}
        self._hearing = {name: hearing_of(self.bus, name) for name in NAMES}
        self._views = {name: Views(self._hearing[name].listeners) for name in NAMES}
        self._stores = {name: Stores.of(self.databases[name], around.server, self._views[name]) for name in NAMES}
        self._forgettable = {
            name: SqlAlchemyDeadLetterStore(found, around.server) for name, found in self.databases.items()
        }
        Listeners(self.databases, self.bus, runs, self.die)
        for database in self.databases.values():
            _watch(database, self._require_alive)
        self.at_work: list[str] = []
        self.is_dead = False

    def begin(self) -> None:
        """Begin with a new memory, and with the first sweep behind it."""
        self.is_dead = False
        self._random.seed(0)
        self.flow, self.solitude, self._transport = Flow(self._limit), WatchedSolitude(), Watched(self._around.sent)
        self.relays = {
            name: Relay(name, self._outboxes[name], NAMES, flow=self.flow, transport=self._transport) for name in NAMES
        }
        self.workers = {
            name: SteppedWorkers(self._inbox(name), 1, self._finished, courtesy=Courtesy(), begun=self.flow.leave)
            for name in NAMES
        }
        self._transport.open(self.workers, self._acknowledged, lambda *_: None)
        self.bus.record_with(
            OutboxRecorder(
                self._outboxes,
                self.bus.subscribers_of,
                flow=self.flow,
                carrier=Carrier(self._send_fresh, lambda _source: None, lambda _envelope: None, self._give_back),
            )
        )
        self.flow.open()

    def _give_back(self, source: str, target: str, event_ids: list[str]) -> None:
        self._outboxes[source].release(target, event_ids)

    def sweep_nothing(self) -> None:
        """Take note that the databases are empty, so that what is published sets out at once."""
        for source in NAMES:
            for target in self.flow.begin_sweep(source, NAMES):
                self.flow.swept(source, target, is_last=True, send=self._send_fresh)

    def die(self) -> None:
        """End in the middle of a step, whose frames this leaves."""
        self.kill()
        raise Killed

    def kill(self) -> None:
        """End; a step that it is in the middle of is left as soon as it is gone on with."""
        self._around.dying(self)
        self.is_dead = True

    def publish(self, order_id: int, mood: str) -> None:
        """Place an order, inside a transaction."""
        self.databases["order"].session.execute(insert(ORDERS).values(id=order_id))
        self.bus.publish(OrderPlaced(order_id, mood))

    def publish_in_vain(self, order_id: int) -> None:
        """Place an order in a savepoint that is rolled back."""
        with suppress(RolledBack), self.databases["order"].savepoint():
            self.publish(order_id, "well")
            raise RolledBack

    def work(self, module: str) -> None:
        """Take what the module's worker would take next, if there is anything and nothing runs alone."""
        if not self.workers[module].is_idle() and not self.solitude.is_taken:
            self.workers[module].step()

    def relay(self, module: str) -> None:
        """Do what the module's relay does in one pass; what that meets stays there until the next."""
        relay, workers = self.relays[module], self.workers[module]
        # A new one looks at once, and not when a minute of the machine's own time is over.
        forgetter = Forgetter(self._forgettable[module], self.bus.clock, RETENTION)
        for step in (relay.acknowledge, workers.look_for_retries, relay.sweep, forgetter.look):
            # As the thread of the relay has it.
            with suppress(Exception):
                step()

    def accept(self, target: str, envelope: Envelope, sends: int) -> None:
        """Take an envelope that was carried here once more."""
        self.workers[target].accept(envelope, sends)

    def close(self) -> None:
        for database in self.databases.values():
            database.close()

    def _inbox(self, name: str) -> Inbox:
        around = Surroundings(self.bus, self.solitude, self._random, RETENTION)
        return inbox_of(
            name,
            self.databases[name],
            self._stores[name],
            around,
            hearing=self._hearing[name],
            views=self._views[name],
        )

    def _send_fresh(self, target: str, envelope: Envelope) -> None:
        self.relays[envelope.source].send_fresh(target, envelope)

    def _finished(self, target: str, envelope: Envelope, is_done: bool) -> None:
        if is_done:
            self._transport.acknowledge(target, envelope)
        else:
            self.flow.release(target, (envelope.id,))

    def _acknowledged(self, target: str, source: str, event_id: str) -> None:
        self.relays[source].acknowledged(target, event_id)

    def _require_alive(self) -> None:
        if self.is_dead:
            raise Killed


def _watch(database: Database, require_alive: Callable[[], None]) -> None:
    """Let a dead process neither begin, nor say, nor commit anything; and make commits cheap, for no power is lost."""

    def look(*_arguments: Any) -> None:
        require_alive()

    def hurry(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    for engine in (database.engine, database.read_engine):
        sqlalchemy_event.listen(engine, "before_cursor_execute", look)
        sqlalchemy_event.listen(engine, "commit", look)
        sqlalchemy_event.listen(engine, "connect", hurry)
