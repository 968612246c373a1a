"""A database for each module on a PostgreSQL server, and no schema in any URL."""

from __future__ import annotations

import re
from contextlib import closing

from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from bus import Database
from bus.schema.layout import VERSION_TABLE
from bus.tables import metadata as bus_tables
from modular_app.container import MODULES
from tests.app.conftest import MakeApp, set_up
from tests.app.counter import Counter
from tests.app.test_migrations import begin
from tests.schema.test_sql import run_by_hand

STANDING = "".join(f"ok       {module}: bus_0002, 0001_first_tables\n" for module in ("kitchen", "order", "restaurant"))


def tables_of(url: str) -> dict[str, set[str]]:
    """Return the tables in a database by the schemas that the server does not have of its own."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = inspect(connection)
        schemas = [name for name in found.get_schema_names() if name != "information_schema"]
        return {schema: set(found.get_table_names(schema)) for schema in schemas}


def checked(make_app: MakeApp, url: str) -> tuple[int, str]:
    result = make_app(DATABASE_URL=url).test_cli_runner().invoke(args=["bus", "db", "check"])
    return result.exit_code, result.stdout


def test_four_simultaneous_first_upgrades_give_each_module_its_tables_in_a_database_of_its_own(
    one_each_url: str, make_app: MakeApp
) -> None:
    started = [begin(one_each_url, "bus", "db", "upgrade") for _ in range(4)]

    told = [process.communicate(timeout=60)[1] for process in started]

    assert [process.returncode for process in started] == [0] * 4, told
    assert checked(make_app, one_each_url) == (0, STANDING)
    for module in MODULES:
        own = {*module.metadata().tables, *bus_tables.tables, VERSION_TABLE}
        assert tables_of(one_each_url.replace("{module}", module.name)) == {"public": own}


def test_sql_for_empty_databases_of_a_module_each_can_be_run_by_hand(one_each_url: str, make_app: MakeApp) -> None:
    printed = begin(one_each_url, "bus", "db", "sql").communicate(timeout=60)[0]
    _, *parts = re.split(r"^-- (order|restaurant|kitchen)\n", printed, flags=re.MULTILINE)

    for module, script in zip(parts[::2], parts[1::2], strict=True):
        with closing(Database(module, one_each_url.replace("{module}", module))) as database:
            run_by_hand(database.engine, script)

    assert checked(make_app, one_each_url) == (0, STANDING)


def test_order_goes_all_the_way_to_completed_over_a_database_each(one_each_url: str, make_app: MakeApp) -> None:
    set_up(one_each_url)
    counter = Counter(make_app(DATABASE_URL=one_each_url))

    order_id = counter.place_and_settle()
    counter.work(order_id, "start")
    counter.work(order_id, "finish")
    counter.post(f"/orders/{order_id}/collect")

    way = [step["status"] for step in counter.order(order_id)["history"]]
    assert way == ["placed", "accepted", "preparing", "ready", "completed"]
