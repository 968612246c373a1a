"""A run: processes that publish and deliver, the faults that befall them, and the wait until nothing moves."""

from __future__ import annotations

import random
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.board import Board
from tests.chaos.chain import TABLES
from tests.chaos.children import Child, fork, processor_seconds
from tests.chaos.clock import clock_of
from tests.chaos.holdings import is_settled
from tests.chaos.journal import read_journals
from tests.chaos.schedule import Fault, Kind, schedule
from tests.chaos.settings import Settings
from tests.chaos.working import APPLICATION, NUMBERS, Task, work
from tests.own_broker import OwnBroker

#: Seconds between two looks at the run, and at whether it has settled.
TICK, SETTLING = 0.005, 0.1

#: Seconds for which a kill waits for a listener that runs, and over a broker, from which workers first have to hear.
AIMING, DISTANT_AIMING = 0.1, 1.0

#: Seconds of the bus's clock for which a process is stopped: the shortest is past the due time of what was sent, the
#: longest past the lease of a run.
SHORTEST_STOP, LONGEST_STOP = 12, 35

#: Seconds that a process may take to end when it is told to.
ENDING = 30

#: Processes that may end by themselves before the run is given up: each is begun anew, and would be for ever.
MOST_FAILED = 20

#: What a run over a broker may have there: the queues that Dramatiq makes of each module's, and the roll.
QUEUES = [
    *(f"{APPLICATION}.{name}{acks}{end}" for name in TABLES for acks in ("", ".acks") for end in ("", ".DQ", ".XQ")),
    f"{APPLICATION}.processes",
]


@dataclass(slots=True)
class Tally:
    """What was done in a run.

    Attributes:
        kills: Processes that were killed.
        in_listener: Those of them in which a listener ran.
        stops: Processes that were stopped, and went on later.
        restarts: Restarts of the server.
        broker_kills: Kills of the broker, each with its start.
        wipes: Moments in which the broker forgot everything.
        moves: Moves of all listeners from those who publish to those who work.
        failed: Processes that ended by themselves, or not when they were told to.
        blocked: What the run was given up for before everything was published.
        seconds: What the parts of the run took, and what its processes used of the processors.
        last_fault: When the last fault was over, by the bus's clock in microseconds; None: there was none.
    """

    kills: int = 0
    in_listener: int = 0
    stops: int = 0
    restarts: int = 0
    broker_kills: int = 0
    wipes: int = 0
    moves: int = 0
    failed: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    last_fault: int | None = None


class Run:
    """One run on databases that are ready."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        folder: Path,
        restart: Callable[[], None],
        broker: OwnBroker | None = None,
    ) -> None:
        self.tally = Tally()
        self._settings, self._url, self._folder, self._restart = settings, url, folder, restart
        self._broker = broker
        self._has_moved = not settings.moves
        self._random = random.Random(settings.seed)
        self._since = time.time_ns() // 1000
        self._clock = clock_of(settings.speed, self._since)
        self._board = Board(settings.processes)
        self._journals: list[list[Path]] = [[] for _ in range(settings.processes)]
        self._to_be_armed = settings.kills if settings.at else 0
        self._faults = deque(
            schedule(
                settings.seed,
                {
                    Kind.KILL: 0 if settings.at else settings.kills,
                    Kind.STOP: settings.stops,
                    Kind.RESTART: settings.restarts,
                    Kind.BROKER_KILL: settings.broker_kills,
                    Kind.WIPE: settings.wipes,
                    Kind.MOVE: settings.moves,
                },
            )
        )
        self._standing: dict[int, float] = {}
        self._children: list[Child] = []

    @property
    def journals(self) -> list[Path]:
        """The journals of all processes."""
        return [path for paths in self._journals for path in paths]

    def perform(self) -> None:
        """Publish everything under faults, and wait until it is delivered; leaves no process behind."""
        began, used = time.monotonic(), processor_seconds()
        try:
            self._children = [self._start(slot) for slot in range(self._settings.processes)]
            self._publish()
            published = time.monotonic()
            self._settle(published + self._settings.patience)
            settled = time.monotonic()
            self._end(range(len(self._children)))
        finally:
            _kill(self._children)
        self.tally.seconds = {
            "publishing": published - began,
            "draining": settled - published,
            "total": time.monotonic() - began,
            "processor": processor_seconds() - used,
        }

    def _publish(self) -> None:
        """Return when everything is published, or when for as long as patience lasts nothing more was."""
        most, deadline = -1, 0.0
        while not self._is_published():
            acknowledged = self._board.acknowledged()
            if acknowledged > most:
                most, deadline = acknowledged, time.monotonic() + self._settings.patience
            if time.monotonic() > deadline or len(self.tally.failed) > MOST_FAILED:
                self.tally.blocked.append(
                    f"{acknowledged} of {self._settings.orders} orders were published, and no more"
                )
                return
            self._look()
            time.sleep(TICK)

    def _start(self, slot: int) -> Child:
        journal = self._folder / f"journal-{slot}-{len(self._journals[slot])}"
        number = sum(map(len, self._journals))
        told = read_journals(self._journals[slot]).acknowledged
        works = slot >= self._settings.publishers
        self._board.place(slot).begin(acknowledged=told)
        self._journals[slot].append(journal)
        task = Task(
            self._url,
            journal,
            first=number * NUMBERS,
            share=self._share(slot) - told,
            speed=self._settings.speed,
            since=self._since,
            workers=self._settings.workers,
            failpoints=self._armed(),
            broker=self._broker.url if self._broker is not None and (works or self._has_moved) else None,
            works=works,
        )
        return fork(lambda: work(task, self._board.place(slot)))

    def _armed(self) -> str:
        if not self._to_be_armed:
            return ""
        self._to_be_armed -= 1
        passage = self._random.randint(1, max(1, self._settings.orders // self._settings.kills))
        return f"{self._settings.at}={passage}*kill"

    def _share(self, slot: int) -> int:
        whole, rest = divmod(self._settings.orders, self._settings.publishers)
        return whole + (slot < rest) if slot < self._settings.publishers else 0

    def _is_published(self) -> bool:
        shares = [self._board.place(slot).acknowledged >= self._share(slot) for slot in range(len(self._children))]
        return all(shares) and not self._faults and not self._standing

    def _look(self) -> None:
        """Replace whoever has died, let those go on who stood long enough, and see to one fault that is due."""
        for slot, child in enumerate(self._children):
            if not child.is_running():
                self._replace(slot, is_killed=bool(self._settings.at) and child.exit_code == -signal.SIGKILL)
        for slot in [slot for slot, until in self._standing.items() if time.monotonic() > until]:
            del self._standing[slot]
            self._children[slot].send(signal.SIGCONT)
            self.tally.last_fault = self._clock.microseconds()
        if self._faults and self._board.acknowledged() >= self._faults[0].share * self._settings.orders:
            self._befall(self._faults.popleft())
            self.tally.last_fault = self._clock.microseconds()

    def _replace(self, slot: int, *, is_killed: bool) -> None:
        if is_killed:
            self._count_kill(slot)
        else:
            self.tally.failed.append(f"process {slot} ended by itself with {self._children[slot].exit_code}")
        self._children[slot] = self._start(slot)

    def _befall(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                self._kill(fault)
            case Kind.STOP:
                self._stop(fault)
            case Kind.RESTART:
                self._restart()
                self.tally.restarts += 1
            case Kind.BROKER_KILL | Kind.WIPE:
                self._befall_broker(fault.kind)
            case Kind.MOVE:
                self._move()
            case _:
                assert_never(fault.kind)

    def _victim(self, fault: Fault) -> int:
        going = [slot for slot in range(len(self._children)) if slot not in self._standing]
        # Over a broker no listener runs in those who publish.
        working = [slot for slot in going if fault.is_aimed and slot >= self._settings.publishers]
        victims = working or going
        return victims[int(fault.chance * len(victims))]

    def _kill(self, fault: Fault) -> None:
        slot = self._victim(fault)
        if fault.is_aimed:
            self._await_listener(slot)
        self._replace(slot, is_killed=self._children[slot].kill())

    def _befall_broker(self, kind: Kind) -> None:
        if self._broker is None:
            return
        if kind is Kind.WIPE:
            self._broker.wipe(QUEUES)
            self.tally.wipes += 1
        else:
            self._broker.kill()
            self._broker.start()
            self.tally.broker_kills += 1

    def _move(self) -> None:
        """Have those who publish, one after the other, run no listener any more: old and new ones work side by side."""
        self._has_moved = True
        for slot in range(self._settings.publishers):
            if self._standing.pop(slot, None) is not None:
                self._children[slot].send(signal.SIGCONT)
            self._end([slot])
            self._children[slot] = self._start(slot)
        self.tally.moves += 1

    def _stop(self, fault: Fault) -> None:
        slot = self._victim(fault)
        self._children[slot].send(signal.SIGSTOP)
        seconds = SHORTEST_STOP + fault.chance * (LONGEST_STOP - SHORTEST_STOP)
        self._standing[slot] = time.monotonic() + seconds / self._settings.speed
        self.tally.stops += 1

    def _await_listener(self, slot: int) -> None:
        """Return when a listener runs there, or after a moment in which none did."""
        aiming = DISTANT_AIMING if self._settings.is_over_a_broker else AIMING
        place, deadline = self._board.place(slot), time.monotonic() + aiming
        while not place.running and time.monotonic() < deadline:
            pass

    def _count_kill(self, slot: int) -> None:
        self.tally.kills += 1
        self.tally.last_fault = self._clock.microseconds()
        self.tally.in_listener += self._board.place(slot).running > 0

    def _settle(self, deadline: float) -> None:
        """Return when nothing is owed or to be run, or when patience ends; then what is left is stuck."""
        while not (self.tally.blocked or time.monotonic() > deadline or self._is_settled()):
            self._look()
            time.sleep(SETTLING)

    def _is_settled(self) -> bool:
        try:
            return is_settled(self._url)
        except SQLAlchemyError:
            return False

    def _end(self, slots: Sequence[int]) -> None:
        children = [self._children[slot] for slot in slots]
        for child in children:
            if child.is_running():
                child.send(signal.SIGTERM)
        deadline = time.monotonic() + ENDING
        while any([child.is_running() for child in children]) and time.monotonic() < deadline:
            time.sleep(TICK)
        for slot, child in zip(slots, children, strict=True):
            if child.exit_code != 0:
                self.tally.failed.append(f"process {slot} did not end well: {child.exit_code}")
        _kill(children)


def _kill(children: Iterable[Child]) -> None:
    for child in children:
        if child.is_running():
            child.kill()
