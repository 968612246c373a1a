"""Reading a module's revisions, and writing the next one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from bus import Database, Module, SchemaError
from bus.columns import Moment
from bus.schema.schema import Schema
from bus.schema.standing import Kind
from tests.schema.place import FIRST, SECOND, Place, checked_jars, jars, named_jars, plant


def test_revision_that_is_written_leads_to_the_code(place: Place) -> None:
    place.at_the_first_revision()

    file = place.schema(named_jars()).write_revision("give jars a name")
    place.schema(named_jars()).upgrade()

    assert file.name == "r0002_give_jars_a_name.py"
    assert place.schema(named_jars()).examine().kind is Kind.CURRENT


def test_first_revision_makes_all_tables_whatever_the_database_has(place: Place) -> None:
    place.schema(jars()).set_up()

    place.schema(jars()).write_revision("first tables")
    done = place.schema(jars()).upgrade()

    assert done.before.adopted == ("0001_first_tables",)
    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_first_revision_keeps_the_checks_of_columns(place: Place) -> None:
    place.schema(checked_jars()).write_revision("first tables")
    place.schema(checked_jars()).set_up()

    with pytest.raises(Exception, match="not_empty"):
        place.run("INSERT INTO jars (id, grams) VALUES (1, 0)")


def test_revision_names_plain_types_so_that_it_stays_true_when_the_module_changes(sqlite: Place) -> None:
    metadata = MetaData()
    Table("jars", metadata, Column("opened_at", Moment, primary_key=True))

    file = sqlite.schema(metadata).write_revision("first tables")

    assert "sa.DateTime(timezone=True)" in file.read_text()
    assert sqlite.schema(metadata).set_up()
    with sqlite.database.engine.begin() as connection:
        connection.execute(metadata.tables["jars"].insert().values(opened_at=datetime(2026, 1, 1, tzinfo=UTC)))


def test_revision_leaves_the_tables_of_the_bus_alone(place: Place) -> None:
    place.at_the_first_revision()
    place.run("ALTER TABLE bus_outbox DROP COLUMN sends")

    file = place.schema(named_jars()).write_revision("names")

    assert "bus_" not in file.read_text()


def test_long_words_are_cut_to_what_the_database_can_note(place: Place) -> None:
    place.at_the_first_revision()

    file = place.schema(named_jars()).write_revision("Give each and every jar a name, at last.")
    place.schema(named_jars()).upgrade()

    assert file.stem == "r0002_give_each_and_every_jar_a_n"
    assert file.read_text().startswith('"""Give each and every jar a name, at last."""\n')


def test_there_is_no_revision_where_nothing_has_changed(place: Place) -> None:
    place.at_the_first_revision()

    with pytest.raises(SchemaError, match="tables of 'stock' are those of its code"):
        place.schema(jars()).write_revision("nothing")


def test_revision_is_written_from_the_newest_one_only(place: Place) -> None:
    place.at_the_first_revision()
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    with pytest.raises(SchemaError, match="it lacks 0002_names; upgrade it"):
        place.schema(jars(Column("lid", Integer))).write_revision("lids")


def test_module_without_a_package_has_nowhere_to_keep_a_revision(sqlite: Place) -> None:
    schema = Schema("stock", jars(), None, writing=sqlite.database.engine, reading=sqlite.database.read_engine)

    with pytest.raises(SchemaError, match="'stock' names no package"):
        schema.write_revision("first tables")


def test_two_revisions_after_one_are_an_error_that_names_both(sqlite: Place) -> None:
    sqlite.at_the_first_revision()
    plant(sqlite.folder, "0002_names", "0001_jars", SECOND)
    plant(sqlite.folder, "0002_lids", "0001_jars", SECOND)

    with pytest.raises(SchemaError, match=r"'stock' have 2 ends: 0002_(lids|names), 0002_(lids|names);.*down_revision"):
        sqlite.schema()


@pytest.mark.filterwarnings("ignore:Revision .* is not present")
def test_revision_after_one_that_is_not_there_is_an_error(sqlite: Place) -> None:
    plant(sqlite.folder, "0002_names", "0001_jars", SECOND)

    with pytest.raises(SchemaError, match=r"revisions of 'stock' cannot be put in order: .*0001_jars"):
        sqlite.schema()


@pytest.mark.filterwarnings("ignore:Revision .* is present more than once")
def test_two_files_with_one_id_are_an_error_that_names_a_file(sqlite: Place) -> None:
    plant(sqlite.folder, "0001_jars", None, FIRST).rename(sqlite.folder / "r0001_copy.py")
    plant(sqlite.folder, "0001_jars", None, FIRST)

    with pytest.raises(SchemaError, match=r"r0001_\w+\.py of 'stock'"):
        sqlite.schema()


def test_folder_of_revisions_without_any_is_one_of_a_module_that_has_none(sqlite: Place) -> None:
    sqlite.folder.mkdir()

    assert sqlite.schema(jars()).set_up()


def test_module_keeps_its_revisions_beside_its_other_parts() -> None:
    module = Module("order", package="modules.order")

    folder = module.migrations_folder()

    assert folder is not None
    assert (folder / "r0001_first_tables.py").is_file()
    assert Module("order").migrations_folder() is None


def test_database_of_a_module_has_its_tables_and_its_revisions(tmp_path: Path) -> None:
    metadata = MetaData()
    Table("jars", metadata, Column("name", String(40)))
    module = Module("stock", package="modules.order", tables=metadata)

    database = Database.of(module, f"sqlite:///{tmp_path}/stock.db")

    assert database.metadata is metadata
    assert database.schema.revisions.own.revisions == ("0001_first_tables",)
