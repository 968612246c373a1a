"""The simulated world: processes on two databases, one clock, and what a schedule makes of them; without a thread."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from datetime import datetime
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from bus import Envelope
from bus.clock import to_datetime, to_microseconds
from bus.failpoint import arm
from bus.testing import FakeClock
from tests.simulation.process import Killed, Process, RolledBack, Surrounding
from tests.simulation.schedule import PROCESSES, Schedule, Step, Strike
from tests.simulation.shop import MOODS, NAMES, TABLES

_START = to_microseconds(FakeClock().now())

#: Envelopes that each process may have on their way to a module: one never has to wait, the others soon do.
_LIMITS = (1000, 2, 4)

_BUS_TABLES = ("bus_event", "bus_outbox", "bus_inbox", "bus_attempt", "bus_pause", "bus_quarantine")
_EMPTY = {
    name: "BEGIN IMMEDIATE;"
    + "".join(f"DELETE FROM {table};" for table in (*_BUS_TABLES, *TABLES[name].tables))
    + "COMMIT"
    for name in NAMES
}
_RUNNING_ALONE = "SELECT listener, event_id, starts FROM bus_inbox WHERE reason = 'running_alone'"
_OWED = (
    "SELECT coalesce(sum(sends), 0), coalesce(sum(runs), 0), coalesce(max(due_at), 0)"
    " FROM (SELECT 1 AS sends, 0 AS runs, due_at FROM bus_outbox"
    " UNION ALL SELECT 0, 1, due_at FROM bus_inbox WHERE state = 'retrying')"
)

#: Rounds after which what is still owed counts as stuck.
_ROUNDS = 400


class ServerClock:
    """The clock by which the databases tell the time."""

    def __init__(self) -> None:
        self.moment = _START

    def now(self) -> datetime:
        return to_datetime(self.moment)

    def microseconds(self) -> int:
        return self.moment


class ProcessClock(ServerClock):
    """The clock of one process, which may be wrong."""

    def __init__(self, server: ServerClock) -> None:
        self._server = server
        self.ahead = 0

    def now(self) -> datetime:
        return to_datetime(self.microseconds())

    def microseconds(self) -> int:
        return self._server.moment + self.ahead


class Counting:
    """Ids that are the same whenever a schedule is run."""

    def __init__(self) -> None:
        self.last = 0

    def new(self) -> str:
        self.last += 1
        return f"event-{self.last:06d}"


class World:
    """Runs schedules, one after the other, each on databases in which nothing is.

    Attributes:
        told: What the publishers were told: the orders whose transaction committed, and those that were rolled back.
        alone: Publications of which a run that was alone has not ended, as the bus may see it, with that run's number.
        struck: How often something happened at each failpoint, in all schedules.
        befell: How often each act was done in the middle of a step, in all schedules, unless it could do nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.struck: Counter[str] = Counter()
        self.befell: Counter[str] = Counter()
        self._server, self._ids = ServerClock(), Counting()
        self._runs: Counter[int] = Counter()
        around = Surrounding(folder, self._server, self._ids, self._note_sent, self._note_death)
        self._clocks = {letter: ProcessClock(self._server) for letter in PROCESSES}
        self.processes = {
            letter: Process(around, self._runs, clock=self._clocks[letter], limit=limit)
            for letter, limit in zip(PROCESSES, _LIMITS, strict=True)
        }
        for database in self.processes["A"].databases.values():
            database.create_tables()
        self._files = {name: sqlite3.connect(folder / f"{name}.db", timeout=0, isolation_level=None) for name in NAMES}
        self._renew()

    def run(self, schedule: Schedule) -> None:
        """Run a schedule from the beginning, then drain without faults."""
        self._renew()
        for letter in schedule.processes:
            self.processes[letter].begin()
            self.processes[letter].sweep_nothing()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", self._pass_time)
            for step in schedule.steps:
                self._take(step)
                if not step.act.startswith("hold"):
                    self._let_go()
            self._let_go()
            self._drain()

    def rows(self, module: str, query: str) -> list[tuple[Any, ...]]:
        """Ask a module's database."""
        return self._files[module].execute(query).fetchall()

    def close(self) -> None:
        for process in self.processes.values():
            process.close()
        for file in self._files.values():
            file.close()

    def _renew(self) -> None:
        self._server.moment, self._ids.last, self._orders, self._repeats = _START, 0, 0, 0
        self.told: dict[str, set[int]] = {"committed": set(), "rolled back": set()}
        self.alone: set[tuple[str, str, int]] = set()
        self._sent: dict[str, list[Envelope]] = {name: [] for name in NAMES}
        self._stack: list[Process] = []
        self._runs.clear()
        for name, file in self._files.items():
            file.executescript(_EMPTY[name])
        for letter, process in self.processes.items():
            self._clocks[letter].ahead = 0
            process.is_dead = True

    def _take(self, step: Step) -> None:
        """Take a step; a process that is dead begins anew, unless it has a step to be unwound yet."""
        process = self.processes[step.process]
        if process.is_dead and process in self._stack:
            return
        if process.is_dead:
            process.begin()
        self._stack.append(process)
        with suppress(Killed), self._struck(process, step.strike):
            # The steps of other threads and processes know nothing of what this one is in the middle of.
            if Context().run(self._act, step) and len(self._stack) > 1:
                self.befell[step.act] += 1
        self._stack.pop()

    @contextmanager
    def _struck(self, process: Process, strike: Strike | None) -> Iterator[None]:
        if strike is None:
            yield
            return
        depth, passages = len(self._stack), count(1)

        def happen() -> None:
            if len(self._stack) == depth and next(passages) == strike.passage:
                self.struck[strike.at] += 1
                for step in strike.steps:
                    self._take(step)
                if process.is_dead:
                    raise Killed

        with arm(strike.at, happen):
            yield

    def _act(self, step: Step) -> bool:
        """Do what the step says; False where there was nothing to be done."""
        verb, _, rest = step.act.partition(" ")
        process = self.processes[step.process]
        match verb:
            case "work":
                self._as_one_thread(process, step.act, partial(process.work, rest))
            case "relay":
                self._as_one_thread(process, step.act, partial(process.relay, rest))
            case "look":
                process.workers[rest].look_for_retries()
            case "sweep":
                process.relays[rest].sweep()
            case "publish":
                self._publish(process, rest)
            case "repeat":
                return self._repeat(process, rest)
            case "kill":
                process.kill()
            case "hold":
                return self._hold(rest)
            case _:
                self._move_clocks(step.process, verb, int(rest.split()[-1]))
        return True

    def _as_one_thread(self, process: Process, act: str, step: Callable[[], None]) -> None:
        """Take the step of a worker or a relay, unless it is in the middle of one."""
        if act not in process.at_work:
            process.at_work.append(act)
            try:
                step()
            finally:
                process.at_work.remove(act)

    def _publish(self, process: Process, how: str) -> None:
        kept, dropped = self._to_publish(how)
        try:
            with process.databases["order"].transaction():
                for order_id in kept:
                    process.publish(order_id, how if how in MOODS else "well")
                for order_id in dropped:
                    process.publish_in_vain(order_id)
                if how == "and roll back":
                    raise RolledBack
        except (RolledBack, SQLAlchemyError):
            self.told["rolled back"].update(kept, dropped)
        else:
            self.told["committed"].update(kept)
            self.told["rolled back"].update(dropped)

    def _to_publish(self, how: str) -> tuple[list[int], list[int]]:
        """Return the orders that are kept where the transaction commits, and those of a savepoint that rolls back."""
        first = self._orders + 1
        self._orders += 2
        both = [first, first + 1]
        if how == "two":
            return both, []
        return ([first], [first + 1]) if how == "and roll back a savepoint" else ([first], [])

    def _repeat(self, process: Process, target: str) -> bool:
        """Bring something that was sent once more, as a broker may; False where nothing was."""
        sent = self._sent[target]
        if sent:
            self._repeats += 1
            process.accept(target, sent[-1 - self._repeats % len(sent)], 2)
        return bool(sent)

    def _hold(self, module: str) -> bool:
        """Hold a database's write lock, as somebody might, until the next step has ended; False where it is held."""
        with suppress(sqlite3.OperationalError):
            self._files[module].execute("BEGIN IMMEDIATE")
            return True
        return False

    def _let_go(self) -> None:
        for file in self._files.values():
            file.rollback()

    def _move_clocks(self, letter: str, verb: str, seconds: int) -> None:
        if verb == "run":
            self._clocks[letter].ahead += seconds * 1_000_000
        else:
            self._pass_time(-seconds if verb == "set" else seconds)

    def _pass_time(self, seconds: float) -> None:
        for process in self._stack:
            self._note_death(process)
        self._server.moment += int(seconds * 1_000_000)

    def _note_death(self, process: Process) -> None:
        """Remember which runs were alone in a process that ends, or that may be too late to be taken for alive."""
        if process.solitude.is_taken:
            for name in NAMES:
                self.alone.update(self.rows(name, _RUNNING_ALONE))

    def _note_sent(self, target: str, envelope: Envelope) -> None:
        self._sent[target].append(envelope)

    def _drain(self) -> None:
        """Let every process go on without faults, and time pass, until nothing is owed."""
        if all(process.is_dead for process in self.processes.values()):
            self.processes["A"].begin()
        living = [letter for letter, process in self.processes.items() if not process.is_dead]
        for letter in islice(cycle(living), _ROUNDS):
            owed = {name: self.rows(name, _OWED)[0] for name in NAMES}
            if not any(sends or runs for sends, runs, _ in owed.values()):
                return
            # Everything that is owed is due then: what waits for nothing is not waited for in turn.
            self._server.moment = max(self._server.moment, *(last for _, _, last in owed.values()))
            for name, (sends, runs, _) in owed.items():
                # Where nothing is owed there is nothing to be found, and a look would take its time.
                if runs:
                    self._take(Step(letter, f"look {name}"))
                if sends or not self.processes[letter].relays[name].is_direct:
                    self._take(Step(letter, f"sweep {name}"))
            while any([self._settle(found) for found in living]):
                pass

    def _settle(self, letter: str) -> bool:
        """Have a process do what it has in its memory; False where there is nothing."""
        process, found = self.processes[letter], False
        for name in NAMES:
            while not (process.is_dead or process.workers[name].is_idle()):
                self._take(Step(letter, f"work {name}"))
                found = True
        for name in NAMES:
            if not process.is_dead and process.relays[name].unwritten:
                process.relays[name].acknowledge()
        return found
