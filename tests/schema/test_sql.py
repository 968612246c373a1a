"""The upgrade as SQL, for somebody who runs it by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from bus import SchemaError
from bus.schema.standing import Kind
from tests.schema.place import FIRST, SECOND, Place, jars, named_jars, plant

BATCH = """\
    with op.batch_alter_table("jars", recreate="always") as jars:
        jars.add_column(sa.Column("name", sa.String(40)))
"""


def run_by_hand(engine: Engine, script: str) -> None:
    """Run a script as a database's own shell would: one statement after the other, with the script's transaction."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    for statement in script.split(";\n"):
        lines = [line for line in statement.splitlines() if line.strip() and not line.startswith("--")]
        if lines:
            cursor.execute("\n".join(lines))
    connection.close()


def test_sql_of_a_first_upgrade_does_what_the_upgrade_does(place: Place) -> None:
    plant(place.folder, "0001_jars", None, FIRST)

    run_by_hand(place.database.engine, place.schema(jars()).sql())

    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_sql_of_a_later_upgrade_is_what_the_database_lacks(place: Place) -> None:
    place.at_the_first_revision()
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    script = place.schema(named_jars()).sql()
    run_by_hand(place.database.engine, script)

    assert "CREATE TABLE" not in script
    assert place.schema(named_jars()).examine().kind is Kind.CURRENT


def test_sql_of_tables_without_revisions_makes_them_as_they_are(place: Place) -> None:
    run_by_hand(place.database.engine, place.schema(jars()).sql())

    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_sql_of_tables_that_were_not_noted_notes_them(place: Place) -> None:
    place.at_the_first_revision()
    place.run("DROP TABLE bus_schema_version")

    run_by_hand(place.database.engine, place.schema(jars()).sql())

    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_sql_of_a_current_database_is_none(place: Place) -> None:
    place.at_the_first_revision()

    assert place.schema(jars()).sql() == ""


def test_sql_writes_nothing(place: Place) -> None:
    plant(place.folder, "0001_jars", None, FIRST)

    place.schema(jars()).sql()

    assert place.tables() == set()


@pytest.mark.parametrize(("dialect", "word"), [("postgresql", "BIGSERIAL"), ("sqlite", "WITHOUT ROWID")])
def test_sql_for_an_empty_database_of_any_kind_needs_none(sqlite: Place, dialect: str, word: str) -> None:
    sqlite.at_the_first_revision()

    script = sqlite.schema(jars()).sql_from_nothing(dialect)

    assert word in script
    assert "CREATE TABLE jars" in script


def test_revision_that_needs_its_database_says_so(sqlite: Place) -> None:
    plant(sqlite.folder, "0001_jars", None, FIRST)
    plant(sqlite.folder, "0002_names", "0001_jars", BATCH)

    with pytest.raises(SchemaError, match="SQL of 'stock' cannot be written without its database"):
        sqlite.schema(named_jars()).sql()


def test_sql_of_a_database_ahead_of_the_code_is_refused(place: Place) -> None:
    place.at_the_first_revision()
    place.run("UPDATE bus_schema_version SET version_num = '0009' WHERE version_num = '0001_jars'")

    with pytest.raises(SchemaError, match="ahead of this code"):
        place.schema(jars()).sql()
