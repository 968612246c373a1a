"""One process of a run: it publishes its share, delivers whatever is due, and is killed at any moment."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bus import BusError
from bus.failpoint import arm_from_environment
from bus.transport.base import Transport
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.chaos.board import Place
from tests.chaos.chain import TABLES, Chain
from tests.chaos.clock import clock_of
from tests.chaos.journal import JournalWriter
from tests.chaos.pace import DistantPace, Pace

#: Numbers that each process has for its orders.
NUMBERS = 1_000_000

#: Orders of one transaction, at most.
BATCH = 10

#: Of so many transactions one takes a part back with a savepoint, and one all of it.
SAVEPOINT, ROLLBACK = 20, 25

#: Runs of listeners that follow from one order.
RUNS = 3

#: What the queues of a run are named after, and the threads of a worker that take from them.
APPLICATION, THREADS = "chaos", 8

#: Seconds between two looks whether the parent is there, and after an error of the database.
LOOK, PAUSE = 0.5, 0.1


class TakenBackError(Exception):
    """Raised by a publisher to roll back what it has just published."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one process has to do.

    Attributes:
        url: Of the databases, with `{module}` in it.
        journal: The file of its journal; what it logs stands beside it.
        first: The first of its numbers.
        share: How many orders it places.
        speed: Of the bus's clock.
        since: When that clock began.
        workers: Threads of each module, where its database takes several.
        failpoints: What to arm, as `BUS_FAILPOINTS` has it.
        broker: What carries the events between those who publish and those who work; None: each does both.
        works: Whether, over a broker, it works.
    """

    url: str
    journal: Path
    first: int
    share: int
    speed: int
    since: int
    workers: int
    failpoints: str = ""
    broker: str | None = None
    works: bool = False

    @property
    def is_distant(self) -> bool:
        """Whether others run the listeners."""
        return self.broker is not None and not self.works

    @property
    def hosted(self) -> Collection[str]:
        """The modules that it hosts."""
        return ("order",) if self.is_distant else TABLES.keys()

    def transport(self) -> Transport | str:
        """Return what carries its events."""
        if self.broker is None:
            return "inprocess://"
        return DramatiqTransport(self.broker, application=APPLICATION, threads=0 if self.is_distant else THREADS)


def work(task: Task, place: Place) -> None:
    """Publish and deliver, until SIGTERM says that everything is done."""
    done, parent = threading.Event(), os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(filename=task.journal.with_suffix(".log"), level=logging.WARNING)
    arm_from_environment({"BUS_FAILPOINTS": task.failpoints})
    publisher = Publisher(task, place, done)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    publisher.publish()
    done.wait()
    publisher.chain.close()


def _end_with(parent: int) -> None:
    """End this process soon after the one that started it, however that has ended."""
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(LOOK)
    os._exit(1)


class Publisher:
    """Places orders in transactions of several, and journals each."""

    def __init__(self, task: Task, place: Place, done: threading.Event) -> None:
        self._task, self._place, self._done = task, place, done
        self._random = random.Random(task.first)
        self._pace = Pace(lambda: self.chain.owed())
        self._wait = DistantPace(lambda: self.chain.owed()).published if task.is_distant else self._pace.published
        self.chain = Chain(
            task.url,
            clock=clock_of(task.speed, task.since),
            workers=task.workers,
            around=self._listening,
            transport=task.transport(),
            hosted=task.hosted,
        )
        self.chain.bus.start()

    def publish(self) -> None:
        """Place the process's share of orders."""
        journal = JournalWriter(self._task.journal)
        first, left = self._task.first, self._task.share
        while left and not self._done.is_set():
            count = min(left, self._random.randint(1, BATCH))
            undone = self._random.randint(1, 3) if self._random.randrange(SAVEPOINT) == 0 else 0
            if self._random.randrange(ROLLBACK) == 0:
                count, undone = 0, count
            journal.trying(first, count, undone)
            if self._is_placed(first, count, undone):
                journal.acknowledged(first)
                self._place.acknowledge(count)
                left -= count
            first += count + undone
        journal.close()

    def _is_placed(self, first: int, count: int, undone: int) -> bool:
        """Make one transaction; False where its outcome is unknown."""
        self._wait(RUNS * count)
        try:
            with suppress(TakenBackError), self.chain.databases["order"].transaction():
                self._place_orders(first, count, undone)
        except (SQLAlchemyError, BusError):
            self._done.wait(PAUSE)
            return False
        return True

    def _place_orders(self, first: int, count: int, undone: int) -> None:
        taken_back = list(range(first + count, first + count + undone))
        if not count:
            self.chain.place(taken_back)
            raise TakenBackError
        self.chain.place(list(range(first, first + count)))
        if taken_back:
            with suppress(TakenBackError), self.chain.databases["order"].savepoint():
                self.chain.place(taken_back)
                raise TakenBackError

    @contextmanager
    def _listening(self) -> Iterator[None]:
        with self._place.listening():
            yield
        self._pace.ran()
