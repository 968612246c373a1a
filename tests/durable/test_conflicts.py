"""A database that is locked says nothing against a listener: the run is made again, and nothing is counted."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bus import Database, module_listener
from bus.database_errors import DatabaseTrouble, database_trouble
from bus.inbox.runner import CONFLICT_PAUSES
from bus.testing import FakeClock
from tests.databases import ON_SQLITE
from tests.durable.faults import (
    FULL,
    LOCKED,
    PATIENT,
    SERIALIZATION_FAILURE,
    Raising,
    dead_letters,
    driver_error,
    failing_statements,
    pass_time,
    refused_commits,
    sqlite_error,
)
from tests.durable.shop import Shop, WantedDish, placed

#: Statements of a run at which the database may be locked: its begin, its mark, the listener's own, the last one.
PLACES = ["BEGIN IMMEDIATE", "INSERT INTO bus_inbox", "INSERT INTO tickets", "UPDATE bus_inbox"]


class Answer(Exception):
    """What PostgreSQL's driver raises."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def wrapped(error: BaseException, *, is_lost: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, error, connection_invalidated=is_lost)


@pytest.mark.parametrize("place", PLACES)
def test_locked_database_is_tried_again_at_once(shop: Shop, place: str) -> None:
    Raising(shop)

    with failing_statements(shop.kitchen, LOCKED, place, times=len(CONFLICT_PAUSES)):
        shop.inbox().receive(placed(7), 1)

    [row] = shop.publications()
    assert shop.tickets() == [7]
    assert (row.state, row.starts, row.failures) == ("completed", 1, 0)
    assert shop.failures.errors == []


def test_locked_database_is_tried_a_few_times_only(shop: Shop) -> None:
    listener = Raising(shop)

    with failing_statements(shop.kitchen, LOCKED, "INSERT INTO tickets"):
        shop.inbox().receive(placed(7), 1)

    [row] = shop.publications()
    assert len(listener.runs) == 1 + len(CONFLICT_PAUSES)
    assert (row.state, row.reason, row.failures, row.crashes) == ("retrying", "busy", 0, 0)
    assert "database is locked" in row.error
    assert shop.failures.errors == []


def test_conflicts_never_make_a_dead_letter_and_fill_no_history(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    inbox = shop.inbox()

    with failing_statements(shop.kitchen, LOCKED, "INSERT INTO tickets"):
        inbox.receive(placed(7), 1)
        for _ in range(5):
            clock.advance(seconds=1)
            inbox.run_due()
    pass_time(inbox, clock)

    assert len(listener.runs) == 6 * 4 + 1
    assert (shop.tickets(), shop.states()) == ([7], {"kitchen.raise": "completed"})
    assert dead_letters(shop).attempts("kitchen.raise", "event-7") == []


def test_busy_publication_is_due_within_a_second(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)

    with failing_statements(shop.kitchen, LOCKED, "INSERT INTO tickets"):
        shop.inbox().receive(placed(7), 1)

    assert [0 <= row.due_at - clock.microseconds() <= 1_000_000 for row in shop.publications()] == [True]


def test_conflict_that_shows_at_the_commit_is_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Raising(shop)

    with busy_commits(shop.kitchen, monkeypatch, times=2):
        shop.inbox().receive(placed(7), 1)

    assert (len(listener.runs), shop.tickets()) == (3, [7])
    assert [(row.state, row.failures) for row in shop.publications()] == [("completed", 0)]


def test_conflict_that_the_listener_swallows_is_a_conflict_all_the_same(shop: Shop) -> None:
    @module_listener("kitchen.swallow", retry=PATIENT)
    def swallow(event: WantedDish) -> None:
        with contextlib.suppress(OperationalError):
            shop.kitchen.session.execute(text("UPDATE tickets SET order_id = 1"))

    shop.listen(swallow)
    with failing_statements(shop.kitchen, LOCKED, "UPDATE tickets"):
        shop.inbox().receive(placed(), 1)

    assert [(row.reason, row.failures) for row in shop.publications()] == [("busy", 0)]


def test_conflict_that_a_savepoint_has_undone_says_nothing_of_a_later_failure(shop: Shop) -> None:
    @module_listener("kitchen.handle", retry=PATIENT)
    def handle(event: WantedDish) -> None:
        with contextlib.suppress(OperationalError), shop.kitchen.savepoint():
            shop.kitchen.session.execute(text("UPDATE tickets SET order_id = 1"))
        raise ValueError("no dough")

    shop.listen(handle)
    with failing_statements(shop.kitchen, LOCKED, "UPDATE tickets"):
        shop.inbox().receive(placed(), 1)

    assert [(row.reason, row.failures) for row in shop.publications()] == [("failed", 1)]


@pytest.mark.parametrize("code", [LOCKED, FULL])
def test_trouble_of_another_database_is_a_failure_like_any_other(shop: Shop, code: int) -> None:
    @module_listener("kitchen.ask_elsewhere", retry=PATIENT)
    def ask_elsewhere(event: WantedDish) -> None:
        with shop.order.transaction() as unit:
            unit.session.execute(text("UPDATE orders SET note = ''"))

    shop.listen(ask_elsewhere)
    with failing_statements(shop.order, code, "UPDATE orders"):
        shop.inbox().receive(placed(), 1)

    assert [(row.reason, row.failures) for row in shop.publications()] == [("failed", 1)]
    assert len(shop.failures.errors) == 1


def test_error_of_a_driver_that_the_listener_makes_itself_is_a_failure_like_any_other(shop: Shop) -> None:
    Raising(shop, wrapped(sqlite_error(LOCKED)))

    shop.inbox().receive(placed(), 1)

    assert [(row.reason, row.failures) for row in shop.publications()] == [("failed", 1)]


def test_pool_without_a_free_connection_is_a_conflict(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Raising(shop)
    refusals = iter([PoolTimeoutError("no connection is free")] * 2)
    real = shop.kitchen.engine.pool.connect

    def connect() -> Any:
        refusal = next(refusals, None)
        if refusal is not None:
            raise refusal
        return real()

    monkeypatch.setattr(shop.kitchen.engine.pool, "connect", connect)
    shop.inbox().receive(placed(7), 1)

    assert (listener.runs, shop.tickets(), shop.failures.errors) == ([7], [7], [])


@ON_SQLITE
def test_lock_that_another_process_holds_is_waited_out(shop: Shop, tmp_path: Path, clock: FakeClock) -> None:
    listener = Raising(shop)
    inbox = shop.inbox()
    with shop.kitchen.write() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(tmp_path / "kitchen.db", isolation_level=None)

    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        inbox.receive(placed(7), 1)
    other.execute("ROLLBACK")
    other.close()
    inbox.receive(placed(7), 1)

    assert (listener.runs, shop.tickets()) == ([7], [7])


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (wrapped(sqlite_error(5)), DatabaseTrouble.CONFLICT),
        (wrapped(sqlite_error(6)), DatabaseTrouble.CONFLICT),
        (wrapped(sqlite_error(15)), DatabaseTrouble.CONFLICT),
        (wrapped(sqlite_error(5 | 2 << 8)), DatabaseTrouble.CONFLICT),
        *((wrapped(sqlite_error(code)), DatabaseTrouble.AWAY) for code in (3, 8, 10, 11, 13, 14, 26, 10 | 4 << 8)),
        (wrapped(sqlite_error(1)), None),
        (wrapped(sqlite_error(19)), None),
        (wrapped(sqlite3.OperationalError("database is locked")), None),
        *((wrapped(Answer(code)), DatabaseTrouble.CONFLICT) for code in ("40001", "40P01", "55P03")),
        *((wrapped(Answer(code)), DatabaseTrouble.AWAY) for code in ("08006", "53300", "57P01", "58030")),
        (wrapped(Answer("25006")), DatabaseTrouble.AWAY),
        (OperationalError("SELECT 1", {}, Answer(None)), DatabaseTrouble.AWAY),
        (wrapped(Answer("25P03"), is_lost=True), None),
        (wrapped(Answer("57014")), None),
        (wrapped(Answer("23505")), None),
        (wrapped(Answer(None)), None),
        (wrapped(Answer(None), is_lost=True), DatabaseTrouble.AWAY),
        (wrapped(Answer("40001"), is_lost=True), DatabaseTrouble.CONFLICT),
        (PoolTimeoutError("no connection is free"), DatabaseTrouble.CONFLICT),
        (sqlite_error(5), None),
        (TimeoutError("another one"), None),
        (None, None),
    ],
)
def test_errors_of_a_database_are_told_apart(error: BaseException | None, trouble: DatabaseTrouble | None) -> None:
    assert database_trouble(error) is trouble


@contextlib.contextmanager
def busy_commits(database: Database, monkeypatch: pytest.MonkeyPatch, *, times: int) -> Iterator[None]:
    """Have the next COMMITs answer that the database is busy; what they would have committed is not there."""
    if database.is_postgresql:
        with refused_commits(database, "tickets", SERIALIZATION_FAILURE, times=times):
            yield
        return
    dialect: Any = database.engine.dialect
    real: Callable[[Any], None] = dialect.do_commit
    left = list(range(times))

    def fail(connection: Any) -> None:
        if left:
            left.pop()
            raise driver_error(database, LOCKED)
        real(connection)

    with monkeypatch.context() as patched:
        patched.setattr(dialect, "do_commit", fail)
        yield
