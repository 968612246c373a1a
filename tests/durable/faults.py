"""What goes wrong in these tests, and how."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import event as sqlalchemy_event

from bus import Database, RetryPolicy, module_listener
from bus.failpoint import FailpointError
from bus.inbox.inbox import Inbox
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.testing import FakeClock
from tests.durable.sent import told_of_each
from tests.durable.shop import Shop, Ticket, WantedDish

#: A policy whose kill switch does not interfere.
PATIENT = RetryPolicy(kill_switch=None)

#: SQLite's primary result codes for a database that is locked, cannot be read from its disk, and has no room left.
LOCKED, IO_ERROR, FULL = 5, 10, 13

#: The SQLSTATE of a transaction that another one has overtaken.
SERIALIZATION_FAILURE = "40001"


class Killed(BaseException):
    """Leaves a run as a crash does: nothing is recorded after it."""


def failing_listener(shop: Shop, *, failures: int) -> Callable[[WantedDish], None]:
    """Return a listener that opens a ticket, and fails after that the first few times."""
    left = list(range(failures))

    @module_listener("kitchen.fail")
    def fail(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.kitchen.session.flush()
        if left:
            left.pop()
            raise ValueError("no dough")

    return fail


def kill() -> None:
    raise Killed


def refuse() -> None:
    raise FailpointError("the database is away")


class Raising:
    """A listener that raises these errors one after another, opens tickets after that, and counts its runs."""

    def __init__(
        self,
        shop: Shop,
        *errors: BaseException,
        id: str = "kitchen.raise",
        retry: RetryPolicy = PATIENT,
        for_ever: bool = False,
    ) -> None:
        self.runs: list[int] = []

        @module_listener(id, retry=retry)
        def raise_in_turn(event: WantedDish) -> None:
            self.runs.append(event.order_id)
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            shop.kitchen.session.flush()
            if for_ever or len(self.runs) <= len(errors):
                raise errors[(len(self.runs) - 1) % len(errors)]

        shop.listen(raise_in_turn)


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """Return the driver's error for one of SQLite's result codes."""
    error = sqlite3.OperationalError({LOCKED: "database is locked", FULL: "disk is full"}.get(code, "disk I/O error"))
    error.sqlite_errorcode = code
    return error


def driver_error(database: Database, code: int) -> Exception:
    """Return what the driver of a database raises in the case that SQLite has this result code for."""
    if not database.is_postgresql:
        return sqlite_error(code)
    kinds = {LOCKED: psycopg.errors.LockNotAvailable, FULL: psycopg.errors.DiskFull}
    return kinds.get(code, psycopg.errors.AdminShutdown)(str(sqlite_error(code)))


@contextmanager
def failing_statements(database: Database, code: int, part: str = "", *, times: int | None = None) -> Iterator[None]:
    """Have statements that contain a part fail with a result code, always or a few times."""
    left = [times]

    def fail(_cursor: Any, statement: str, *_rest: Any) -> None:
        if part in statement and left[0] != 0:
            left[0] = None if left[0] is None else left[0] - 1
            raise driver_error(database, code)

    places = ("do_execute", "do_execute_no_params", "do_executemany")
    # PostgreSQL's reading engine hears what the writing one does.
    engines = [database.engine] if database.is_postgresql else [database.engine, database.read_engine]
    hooks = [(engine, place) for engine in engines for place in places]
    for engine, place in hooks:
        sqlalchemy_event.listen(engine, place, fail)
    try:
        with told_of_each(database.engine, lambda statement: fail(None, statement)):
            yield
    finally:
        for engine, place in hooks:
            sqlalchemy_event.remove(engine, place, fail)


class Log(logging.Handler):
    """What anybody logs as a warning or worse, and an event that is set once a part of it was logged."""

    def __init__(self, part: str) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.heard = threading.Event()
        self._part = part

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if self._part in self.lines[-1]:
            self.heard.set()

    def __enter__(self) -> Log:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        logging.getLogger().removeHandler(self)


def until(condition: Callable[[], object]) -> None:
    """Wait for what other threads bring about, and fail where they do not."""
    never = threading.Event()
    for _ in range(1000):
        if condition():
            return
        never.wait(0.01)
    raise AssertionError("it has not come about within ten seconds")


def pass_time(inbox: Inbox, clock: FakeClock, *, hours: int = 1) -> int:
    """Let hours pass, run in each what is due, and return how many times there was something."""
    found = 0
    for _ in range(hours):
        clock.advance(hours=1)
        inbox.has_due()
        while inbox.run_due():
            found += 1
    return found


def dead_letters(shop: Shop) -> SqlAlchemyDeadLetterStore:
    return SqlAlchemyDeadLetterStore(shop.kitchen, shop.clock)


@contextmanager
def refused_commits(database: Database, table: str, state: str, *, times: int) -> Iterator[None]:
    """Have PostgreSQL refuse the next COMMITs of whoever has written to a table, with this SQLSTATE."""
    # A sequence counts on when its transaction is rolled back.
    make = f"""
        CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('refusals') <= {times} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse();
    """
    _run_script(database, make)
    try:
        yield
    finally:
        _run_script(database, "DROP FUNCTION refuse() CASCADE; DROP SEQUENCE refusals;")


def _run_script(database: Database, script: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(script)
