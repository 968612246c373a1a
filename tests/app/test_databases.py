"""Each module keeps what it needs in its own database, and nothing else is there."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bus import Database, Module
from bus.schema.layout import VERSION_TABLE
from bus.tables import metadata as bus_tables
from modular_app.container import MODULES
from tests.app.conftest import MakeApp, set_up
from tests.app.counter import Counter
from tests.databases import ON_POSTGRESQL
from tests.server.server import wait_until


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.name))
def test_database_of_a_module_holds_its_own_tables_and_the_bus_s(
    counter: Counter, tmp_path: Path, module: Module
) -> None:
    counter.place_and_settle()

    with closing(sqlite3.connect(tmp_path / f"{module.name}.db")) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}

    own = {*module.metadata().tables, *bus_tables.tables, VERSION_TABLE}
    assert {name for name in found if not name.startswith("sqlite_")} == own


def test_no_two_modules_have_a_table_of_one_name() -> None:
    names = [name for module in MODULES for name in module.metadata().tables]

    assert len(names) == len(set(names)) > 3


def test_customer_is_known_to_order_alone(make_app: MakeApp, tmp_path: Path) -> None:
    counter = Counter(make_app())
    counter.place(customer={"name": "Canary Wharf", "phone": "+44 5550199"})
    counter.settle()
    counter.parts.bus.stop()

    holders = {
        file.name.split(".")[0]
        for file in tmp_path.iterdir()
        for canary in (b"Canary Wharf", b"5550199")
        if canary in file.read_bytes()
    }

    assert holders == {"order"}


def test_second_start_finds_what_the_first_has_left(make_app: MakeApp) -> None:
    first = Counter(make_app())
    order_id = first.place_and_settle("ramen")
    first.parts.bus.stop()

    second = Counter(make_app())

    assert first.parts.notices == ("The database was empty: it has the restaurant demo now, with 6 dishes.",)
    assert second.parts.notices == ()
    assert second.status(order_id) == "accepted"
    assert second.dish("ramen")["stock"] == 999_999


def test_what_was_owed_at_the_end_is_done_after_the_next_start(make_app: MakeApp) -> None:
    first = Counter(make_app())
    order_id = first.place("ramen")
    first.parts.bus.stop()

    second = Counter(make_app())
    second.client.get("/healthz")
    second.settle()

    assert second.status(order_id) == "accepted"
    assert second.dish("ramen")["stock"] == 999_999


@ON_POSTGRESQL
def test_menu_that_another_process_is_making_is_waited_for_and_not_made_twice(
    database_url: str, make_app: MakeApp
) -> None:
    set_up(database_url)
    with closing(Database("restaurant", database_url.replace("{module}", "restaurant"))) as other:
        with ThreadPoolExecutor(1) as start, other.write() as connection:
            connection.execute(text("INSERT INTO restaurants VALUES ('demo', 'Theirs', 'EUR', true)"))
            app = start.submit(make_app)
            wait_until(lambda: somebody_waits(other))
        with other.read() as session:
            names = session.scalars(text("SELECT name FROM restaurants")).all()

    assert app.result().extensions["modular-app"].notices == ()
    assert names == ["Theirs"]


def somebody_waits(database: Database) -> bool:
    """Say whether a connection to the same database waits for another one's transaction to end."""
    with database.read() as session:
        waiting = "pid IN (SELECT pid FROM pg_locks WHERE NOT granted) AND datname = current_database()"
        return bool(session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {waiting}")))
