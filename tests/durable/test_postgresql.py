"""A module's database on PostgreSQL: how it is set up, and what its connections are told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError

from bus import BusError, Database, MissingExtraError, SchemaError
from bus.inbox.store import Publication
from bus.postgresql import IDLE_IN_TRANSACTION
from tests.databases import ON_POSTGRESQL
from tests.durable.shop import Order, OrderTables, Shop, placed, statements, written_to
from tests.durable.test_database import CREATE_TABLES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(fresh_postgresql_url: str) -> Iterator[Database]:
    database = Database("order", fresh_postgresql_url.format(module="order"), metadata=OrderTables.metadata)
    yield database
    database.close()


def setting(database: Database, name: str, *, reading: bool = False) -> object:
    engine = database.read_engine if reading else database.engine
    with engine.connect() as connection:
        return connection.scalar(text(f"SHOW {name}"))


def test_empty_database_gets_a_schema_with_the_modules_tables_once(database: Database) -> None:
    assert database.create_tables() is True
    assert database.create_tables() is False

    tables = inspect(database.engine)
    assert {"orders", "bus_event", "bus_inbox"} <= set(tables.get_table_names("order"))
    assert tables.get_table_names("public") == []


def test_four_processes_make_one_schema(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE_TABLES, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()

    outcomes = [process.communicate("go\n") for process in processes]

    assert [errors for _, errors in outcomes if errors] == []
    assert sorted(output for output, _ in outcomes) == ["False\n"] * 3 + ["True\n"]


def test_unknown_layout_is_an_error(database: Database) -> None:
    database.create_tables()
    with database.write() as connection:
        connection.execute(text("ALTER TABLE bus_outbox DROP COLUMN sends"))

    with pytest.raises(SchemaError, match=r"bus_outbox\.sends is missing"):
        database.create_tables()


def test_database_without_tables_does_not_answer_and_says_so(database: Database) -> None:
    assert not database.answers()
    with pytest.raises(SchemaError, match="'order' has no tables"):
        database.check_tables()


def test_schema_may_have_any_name(fresh_postgresql_url: str) -> None:
    database = Database("order", fresh_postgresql_url.format(module='my "own" \\ schema'))

    database.create_tables()

    assert database.answers()
    assert "bus_event" in inspect(database.engine).get_table_names('my "own" \\ schema')
    database.close()


def test_writers_are_read_committed_and_stopped_ones_are_ended(database: Database) -> None:
    assert setting(database, "transaction_isolation") == "read committed"
    assert setting(database, "transaction_read_only") == "off"
    assert setting(database, "idle_in_transaction_session_timeout") == f"{IDLE_IN_TRANSACTION // 60}min"


def test_what_the_url_says_of_a_session_wins(fresh_postgresql_url: str) -> None:
    url = fresh_postgresql_url.format(module="order")
    database = Database("order", f"{url}&options=-c%20idle_in_transaction_session_timeout%3D7000")

    found = setting(database, "idle_in_transaction_session_timeout"), setting(database, "search_path")
    database.close()

    assert found == ("7s", '"order"')


def test_listener_that_asks_nothing_for_too_long_has_failed(fresh_postgresql_url: str) -> None:
    url = fresh_postgresql_url.format(module="order")
    database = Database("order", f"{url}&options=-c%20idle_in_transaction_session_timeout%3D100")
    database.create_tables()

    with pytest.raises(DBAPIError, match="idle-in-transaction"), database.transaction() as unit:
        unit.session.execute(text("SELECT 1"))
        with database.read() as session:
            session.execute(text("SELECT pg_sleep(0.5)"))
        unit.session.execute(text("SELECT 1"))
    database.close()


def test_reader_sees_one_state_until_its_end_and_cannot_write(database: Database) -> None:
    database.create_tables()

    with database.read() as session:
        before = list(session.scalars(select(Order.id)))
        with database.transaction() as unit:
            unit.session.add(Order(id=1, note=""))
        after = list(session.scalars(select(Order.id)))
        with pytest.raises(InternalError, match="read-only"):
            session.execute(insert(Order).values(id=2, note=""))

    assert before == after == []


def test_error_of_a_reader_is_not_one_of_the_unit_around_it(database: Database) -> None:
    database.create_tables()

    with database.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        with database.read() as session, pytest.raises(InternalError):
            session.execute(insert(Order).values(id=2, note=""))

    with database.read() as session:
        assert list(session.scalars(select(Order.id))) == [1]


def test_error_of_a_statement_shows_no_parameters(database: Database) -> None:
    database.create_tables()

    with pytest.raises(IntegrityError) as error, database.transaction() as unit:
        unit.session.execute(insert(Order), [{"id": 1, "note": "secret"}, {"id": 1, "note": "secret"}])

    assert "secret" not in str(error.value)


def test_url_without_a_database_is_refused() -> None:
    with pytest.raises(BusError, match="'order' names no database"):
        Database("order", "postgresql+psycopg://db")


def test_missing_driver_is_an_error_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'modular-bus\[postgresql\]'"):
        Database("order", "postgresql+psycopg://db/shop")


@pytest.mark.parametrize(
    ("url", "workers", "told"),
    [
        ("sqlite:///order.db", 2, "2 workers for 'order', whose database is SQLite: it has one writer"),
        ("postgresql+psycopg://db/shop", 0, "0 workers for 'order': at least 1"),
    ],
)
def test_number_of_workers_that_makes_no_sense_is_refused(url: str, workers: int, told: str) -> None:
    with pytest.raises(BusError, match=told):
        Database("order", url, workers=workers)


@ON_POSTGRESQL
def test_publish_with_what_is_owed_is_one_statement_of_the_publishers_transaction(shop: Shop) -> None:
    with statements(shop.order) as seen:
        shop.place(1)

    assert [written_to([statement]) for statement in seen] == [["orders"], ["bus_event", "bus_outbox"]]
    assert [row.key for row in shop.history()] == ["1"]
    assert len(shop.owed()) == 1


@ON_POSTGRESQL
def test_run_is_the_take_the_listeners_own_statement_and_the_completion(shop: Shop) -> None:
    shop.open_tickets()
    inbox = shop.inbox()

    with statements(shop.kitchen) as seen:
        inbox.receive(placed(7), 1)

    assert [written_to([statement]) for statement in seen] == [["bus_inbox"], ["tickets"], ["bus_inbox"]]
    assert shop.tickets() == [7]


@ON_POSTGRESQL
def test_marked_run_is_one_statement_more_for_its_mark(shop: Shop) -> None:
    shop.open_tickets()
    inbox = shop.inbox()

    with statements(shop.kitchen) as seen:
        inbox.receive(placed(7), 2)

    assert [written_to([statement]) for statement in seen] == [
        ["bus_inbox"],
        *[["bus_inbox"], ["tickets"], ["bus_inbox"]],
    ]
    assert shop.tickets() == [7]


@ON_POSTGRESQL
def test_mark_is_committed_with_its_own_statement(shop: Shop) -> None:
    with shop.kitchen.engine.connect() as connection:
        is_ours = shop.inbox_store.mark(connection, Publication("kitchen.open_ticket", placed(7)))
        driver: Any = connection.connection.driver_connection
        status = driver.info.transaction_status

    assert is_ours
    assert status == TransactionStatus.IDLE


def test_connection_that_is_cut_off_has_let_go_what_it_held(database: Database) -> None:
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as other:
        # Asked through the driver: the question must not take as long as what it is about.
        ask: Any = other.connection.driver_connection
        found = []
        for _ in range(30):
            with database.engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(15)"))
                database.cut_off(connection.connection.driver_connection)
                found += ask.execute("SELECT pg_try_advisory_xact_lock(15)").fetchone()
                connection.invalidate()

    assert found == [True] * 30
