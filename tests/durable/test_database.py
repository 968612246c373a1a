from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bus import BusError, Database, NoTransactionError, TransactionControlError
from bus.sqlite import BUSY_TIMEOUT
from tests.durable.faults import until
from tests.durable.shop import Order, OrderTables, Shop, Ticket

ROOT = Path(__file__).parents[2]

CREATE_TABLES = """
import sys
from bus import Database
from tests.durable.shop import OrderTables
database = Database("order", sys.argv[1], metadata=OrderTables.metadata)
print("ready", flush=True)
sys.stdin.readline()
print(database.create_tables())
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/order.db"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database("order", url, metadata=OrderTables.metadata)
    yield database
    database.close()


def test_concurrent_read_modify_write_loses_nothing(database: Database, url: str) -> None:
    database.create_tables()
    # A second one on the same file queues for the write lock as another process does.
    neighbour = Database("order", url)
    with database.transaction() as unit:
        unit.session.add(Order(id=1, note="0"))
    together = threading.Barrier(8)

    def count_to_25(through: Database) -> None:
        together.wait()
        for _ in range(25):
            with through.transaction() as unit:
                order = unit.session.get_one(Order, 1)
                order.note = str(int(order.note) + 1)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(count_to_25, through) for through in 4 * [database, neighbour]]
    neighbour.close()
    assert [future.exception() for future in done] == [None] * 8

    with database.read() as session:
        assert session.get_one(Order, 1).note == "200"


def test_reader_does_not_wait_for_a_writer_and_sees_what_is_committed(database: Database) -> None:
    database.create_tables()

    with database.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        unit.session.flush()
        with database.read() as session:
            seen_during_the_write = list(session.scalars(select(Order.id)))

    assert seen_during_the_write == []
    with database.read() as session:
        assert list(session.scalars(select(Order.id))) == [1]


def test_reader_sees_one_state_until_its_end(database: Database) -> None:
    database.create_tables()

    with database.read() as session:
        before = list(session.scalars(select(Order.id)))
        with database.transaction() as unit:
            unit.session.add(Order(id=1, note=""))
        after = list(session.scalars(select(Order.id)))

    assert before == after == []


def test_reader_cannot_write(database: Database) -> None:
    database.create_tables()

    with database.read() as session, pytest.raises(OperationalError, match="readonly"):
        session.execute(insert(Order).values(id=1, note=""))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:///file::memory:?uri=true",
    ],
)
def test_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(
        BusError, match=r"'order' is held in memory: .* name a file, such as sqlite:///instance/order\.db"
    ):
        Database("order", url)


@pytest.mark.parametrize("driver", ["mysql+pymysql", "postgresql", "postgresql+asyncpg"])
def test_other_databases_are_refused_without_showing_the_password(driver: str) -> None:
    with pytest.raises(BusError, match=r"'order' is .*://…; .* postgresql\+psycopg://USER@HOST") as refusal:
        Database("order", f"{driver}://anna:secret@db/order")

    assert "secret" not in str(refusal.value)


def test_other_drivers_are_refused_with_the_url_that_works() -> None:
    with pytest.raises(BusError, match=r"'order' is sqlite\+aiosqlite://…; for SQLite write sqlite:///FILE"):
        Database("order", "sqlite+aiosqlite:///order.db")


@pytest.mark.parametrize("url", ["", "order.db", "sqlite:/order.db"])
def test_unreadable_url_is_refused(url: str) -> None:
    with pytest.raises(BusError, match="database URL of 'order' cannot be read; such as sqlite:///"):
        Database("order", url)


def test_making_a_database_opens_no_file(database: Database, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", BUSY_TIMEOUT * 1000)],
)
def test_every_writing_connection_is_set_up_to_lose_nothing(database: Database, pragma: str, value: object) -> None:
    with closing(database.engine.raw_connection()) as first, closing(database.engine.raw_connection()) as second:
        found = [connection.cursor().execute(f"PRAGMA {pragma}").fetchone() for connection in (first, second)]

    assert found == [(value,), (value,)]


def test_unit_of_work_holds_the_write_lock_from_its_first_statement_on(database: Database) -> None:
    database.create_tables()
    has_begun = threading.Event()

    def second() -> None:
        with database.transaction() as unit:
            unit.session.scalars(select(Order.id)).all()
            has_begun.set()

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as unit:
            unit.session.scalars(select(Order.id)).all()
            future = pool.submit(second)
            began_beside_the_first = has_begun.wait(0.3)
        future.result()

    assert not began_beside_the_first
    assert has_begun.is_set()


def test_empty_database_gets_its_tables_once(database: Database) -> None:
    assert database.create_tables() is True
    assert database.create_tables() is False


def test_eight_processes_make_one_schema(url: str, database: Database) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE_TABLES, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate() for process in processes]

    assert [errors for _, errors in outcomes if errors] == []
    assert sorted(output for output, _ in outcomes) == ["False\n"] * 7 + ["True\n"]
    assert database.create_tables() is False


def test_error_of_a_statement_shows_no_parameters(database: Database) -> None:
    database.create_tables()

    with pytest.raises(IntegrityError) as error, database.transaction() as unit:
        unit.session.execute(insert(Order), [{"id": 1, "note": "secret"}, {"id": 1, "note": "secret"}])

    assert "secret" not in str(error.value)


def test_units_of_two_databases_never_mix(shop: Shop) -> None:
    with shop.order.transaction() as outer:
        outer.session.add(Order(id=1, note=""))
        with pytest.raises(ValueError, match="no"), shop.kitchen.transaction() as inner:
            inner.session.add(Ticket(order_id=1))
            raise ValueError("no")

    assert outer.session is not inner.session
    assert shop.orders() == [1]
    assert shop.tickets() == []


def test_unit_inside_another_modules_commits_on_its_own(shop: Shop) -> None:
    with pytest.raises(ValueError, match="no"), shop.order.transaction() as outer:
        outer.session.add(Order(id=1, note=""))
        with shop.kitchen.transaction() as inner:
            inner.session.add(Ticket(order_id=1))
        raise ValueError("no")

    assert shop.orders() == []
    assert shop.tickets() == [1]


def test_session_of_another_modules_unit_is_refused(shop: Shop) -> None:
    with shop.order.transaction(), shop.kitchen.transaction(), pytest.raises(NoTransactionError, match="'order'"):
        _ = shop.order.session


def test_session_outside_a_unit_of_work_is_refused_with_the_mend(database: Database) -> None:
    with pytest.raises(NoTransactionError, match=r"with database.transaction\(\):"):
        _ = database.session


def test_unit_of_work_belongs_to_its_thread(database: Database) -> None:
    with database.transaction(), ThreadPoolExecutor(1) as pool:
        found = pool.submit(lambda: database.session).exception()

    assert isinstance(found, NoTransactionError)


def test_each_thread_has_a_unit_of_its_own(database: Database) -> None:
    database.create_tables()

    def write(number: int) -> None:
        with database.transaction() as unit:
            unit.session.add(Order(id=number, note=""))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(100)))

    with database.read() as session:
        assert len(list(session.scalars(select(Order.id)))) == 100


def test_nested_transaction_joins_the_running_one(database: Database) -> None:
    database.create_tables()

    with pytest.raises(ValueError, match="no"), database.transaction() as outer:
        with database.transaction() as inner:
            inner.session.add(Order(id=1, note=""))
        raise ValueError("no")

    assert inner is outer
    with database.read() as session:
        assert list(session.scalars(select(Order.id))) == []


def test_connection_is_back_in_its_pool_after_a_failure(database: Database) -> None:
    for _ in range(150):
        with pytest.raises(ValueError, match="no"), database.transaction() as unit:
            unit.session.execute(text("SELECT 1"))
            raise ValueError("no")

    assert database.engine.pool.status().endswith("Current Checked out connections: 0")


def test_connection_that_comes_back_after_the_close_is_closed(database: Database) -> None:
    connection = database.engine.connect()
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)

    database.close()
    connection.close()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


def test_connection_whose_commit_failed_has_no_transaction_left(database: Database) -> None:
    database.create_tables()
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE b (a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)")

    for _ in range(2):
        with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.transaction() as unit:
            unit.session.execute(text("INSERT INTO b VALUES (99)"))

    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM b")) == 0
    assert database.takes_writes()


def test_write_beside_a_unit_of_work_of_the_same_database_is_refused_instead_of_waiting_for_itself(
    database: Database,
) -> None:
    with database.transaction() as unit:
        unit.session.execute(text("SELECT 1"))
        with pytest.raises(TransactionControlError, match="do it after that"), database.write():
            pass


def waits(database: Database, number: int) -> bool:
    return database.writers is not None and database.writers.waiting == number


def test_writers_have_their_turns_in_the_order_of_their_coming(database: Database) -> None:
    database.create_tables()
    order: list[int] = []
    coming = threading.Semaphore(0)

    def write(number: int) -> None:
        coming.release()
        with database.transaction() as unit:
            unit.session.scalars(select(Order.id)).all()
            order.append(number)

    with ThreadPoolExecutor(5) as pool:
        with database.transaction() as unit:
            unit.session.scalars(select(Order.id)).all()
            for number in range(5):
                pool.submit(write, number)
                coming.acquire(timeout=10)
                until(partial(waits, database, number + 1))

    assert order == list(range(5))
