"""How a database stands to the code, what a start makes of that, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, String, Table

from bus import SchemaError
from bus.schema.layout import VERSION_TABLE
from bus.schema.schema import Schema
from bus.schema.standing import Kind
from tests.schema.place import BUS, SECOND, Place, jars, named_jars, plant


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SchemaError) as error:
        call()
    return str(error.value)


def test_empty_database_is_set_up_once(place: Place) -> None:
    assert place.schema(jars()).set_up() is True
    assert place.schema(jars()).set_up() is False


def test_tables_without_revisions_are_made_as_they_are(place: Place) -> None:
    place.schema(jars()).set_up()

    assert {"jars", "labels", "bus_event", VERSION_TABLE} <= place.tables()
    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_set_up_database_has_noted_the_newest_revision_of_each_line(place: Place) -> None:
    place.at_the_first_revision()

    assert sorted(place.ask(f"SELECT version_num FROM {VERSION_TABLE}")) == ["0001_jars", BUS]


def test_check_of_an_empty_database_names_the_command(place: Place) -> None:
    told = refusal(place.schema(jars()).check)

    assert told == "the database of 'stock' has no tables yet; make them: flask bus db upgrade stock"
    assert place.tables() == set()


def test_start_sets_up_an_empty_sqlite_file(sqlite: Place) -> None:
    assert sqlite.schema(jars()).prepare() is True
    assert "jars" in sqlite.tables()


def test_start_leaves_an_empty_database_on_a_server_alone(postgresql: Place) -> None:
    told = refusal(postgresql.schema(jars()).prepare)

    assert "make them: flask bus db upgrade stock" in told
    assert postgresql.tables() == set()


def test_check_of_a_file_that_is_not_there_makes_none(sqlite: Place) -> None:
    refusal(sqlite.schema(jars()).check)

    assert not Path(str(sqlite.database.engine.url.database)).exists()


def test_database_that_lacks_a_revision_is_refused_and_left_as_it_is(place: Place) -> None:
    place.at_the_first_revision()
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    told = refusal(place.schema(named_jars()).set_up)

    assert told == (
        "the database of 'stock' is behind this code, it lacks 0002_names; upgrade it: flask bus db upgrade stock"
    )
    assert place.schema(named_jars()).standing().noted == ("0001_jars", BUS)


def test_database_that_newer_code_has_upgraded_is_refused(place: Place) -> None:
    place.at_the_first_revision()
    newer = plant(place.folder, "0002_names", "0001_jars", SECOND)
    place.schema(named_jars()).upgrade()
    newer.unlink()

    told = refusal(place.schema(jars()).set_up)

    assert told == (
        "the database of 'stock' is ahead of this code, which does not know its revision 0002_names; deploy the newer "
        "code that has upgraded it"
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("ALTER TABLE bus_outbox DROP COLUMN sends", "bus_outbox.sends is missing"),
        ("ALTER TABLE bus_event ADD COLUMN shard INTEGER", "bus_event.shard is unknown"),
        ("ALTER TABLE jars DROP COLUMN name", "jars.name is missing"),
        ("DROP TABLE bus_inbox", "table bus_inbox is missing"),
        ("DROP TABLE labels", "table labels is missing"),
    ],
)
def test_other_layout_is_refused_with_what_differs(place: Place, change: str, problem: str) -> None:
    place.schema(named_jars()).set_up()
    place.run(change)

    told = refusal(place.schema(named_jars()).set_up)

    assert told.startswith(f"the database of 'stock' has another table layout than this code works with: {problem}. ")


def test_code_that_has_changed_without_a_revision_is_told_to_write_it(place: Place) -> None:
    place.at_the_first_revision()

    told = refusal(place.schema(named_jars()).set_up)

    assert "jars.name is missing" in told
    assert "write the revision that leads there: flask bus db revision stock -m WHAT" in told


def test_empty_database_that_revisions_do_not_bring_to_the_code_is_set_up_and_refused(place: Place) -> None:
    plant(place.folder, "0001_jars", None, '    op.create_table("jars", sa.Column("id", sa.Integer()))\n')

    told = refusal(place.schema(jars()).set_up)

    assert "table labels is missing" in told
    assert place.schema(jars()).standing().noted == ("0001_jars", BUS)


def test_other_layout_of_tables_without_revisions_has_no_way_but_an_empty_database(place: Place) -> None:
    place.schema(jars()).set_up()

    assert "begin with an empty database, or give the module revisions" in refusal(place.schema(named_jars()).set_up)


def test_tables_of_the_code_that_have_noted_nothing_are_noted_and_kept(place: Place) -> None:
    place.at_the_first_revision()
    place.run(f"DROP TABLE {VERSION_TABLE}", "INSERT INTO jars (id) VALUES (7)")

    assert "note them: flask bus db upgrade stock" in refusal(place.schema(jars()).check)
    assert place.schema(jars()).set_up() is False
    assert place.schema(jars()).standing().kind is Kind.CURRENT
    assert place.ask("SELECT id FROM jars") == [7]


def test_other_tables_that_have_noted_nothing_are_refused_and_left_as_they_are(place: Place) -> None:
    place.at_the_first_revision()
    place.run(f"DROP TABLE {VERSION_TABLE}", "ALTER TABLE bus_outbox DROP COLUMN sends")

    told = refusal(place.schema(jars()).set_up)

    assert "and no note of its revisions: bus_outbox.sends is missing. Run the version that wrote it" in told
    assert VERSION_TABLE not in place.tables()


def test_tables_beside_those_of_the_code_are_no_matter_for_a_start(place: Place) -> None:
    place.at_the_first_revision()
    place.run("CREATE TABLE jars_of_last_year (id INTEGER)")

    place.schema(jars()).check()

    assert place.schema(jars()).examine().problems == ("table jars_of_last_year is unknown",)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("DROP INDEX ix_bus_outbox_due", "index ix_bus_outbox_due (target, due_at, event_id) of bus_outbox is missing"),
        ("CREATE INDEX hasty ON jars (name)", "index hasty (name) of jars is unknown"),
        ("ALTER TABLE jars DROP COLUMN name", "jars.name is missing"),
    ],
)
def test_close_comparison_finds_what_a_start_does_not_look_for(place: Place, change: str, problem: str) -> None:
    place.schema(named_jars()).set_up()
    place.run(change)

    assert place.schema(named_jars()).examine().problems == (problem,)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (partial(Column, "name", String(80)), "jars.name is VARCHAR(40), the code has VARCHAR(80)"),
        (partial(Column, "name", String(40), nullable=False), "jars.name is nullable, the code has not null"),
    ],
)
def test_close_comparison_tells_how_a_column_differs(
    place: Place, changed: Callable[[], Column[str]], problem: str
) -> None:
    place.schema(named_jars()).set_up()

    assert place.schema(jars(changed())).examine().problems == (problem,)


def test_module_that_gets_its_first_tables_later_is_behind(place: Place) -> None:
    place.schema().set_up()

    told = refusal(place.schema(jars()).set_up)

    assert "it lacks the tables of stock; upgrade it" in told


def test_database_that_another_table_of_this_name_is_in_is_refused(place: Place) -> None:
    place.run_before_the_bus("CREATE TABLE jars (id INTEGER PRIMARY KEY)")

    refusal(place.schema(jars()).set_up)

    assert place.tables() == {"jars"}


def test_module_without_a_package_has_the_revisions_of_the_bus(sqlite: Place) -> None:
    metadata = MetaData()
    Table("jars", metadata, Column("name", String(40)))
    schema = Schema("stock", metadata, None, writing=sqlite.database.engine, reading=sqlite.database.read_engine)

    assert schema.set_up() is True
    assert schema.standing().noted == (BUS,)
