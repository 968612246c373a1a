"""Bringing a database forward: all of it or nothing, and by one process at a time."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bus import SchemaError
from bus.schema import alone
from bus.schema.standing import Kind
from tests.schema.place import BUS, FIRST, SECOND, Place, jars, named_jars, plant

ROOT = Path(__file__).parents[2]

UPGRADE = """
import sys
from pathlib import Path
from bus import Database
from tests.schema.place import BUS, named_jars
database = Database("stock", sys.argv[1], metadata=named_jars(), migrations=Path(sys.argv[2]))
schema = database.schema
print("ready", flush=True)
sys.stdin.readline()
done = schema.upgrade()
database.close()
print(done.before.kind.value, done.after.kind.value)
"""

#: Rebuilds a table that others refer to, as SQLite has it.
REBUILD = """\
    with op.batch_alter_table("jars", recreate="always") as jars:
        jars.add_column(sa.Column("name", sa.String(40)))
"""


#: Dies as if somebody had switched the machine off.
DIE = "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"


def upgrade_together(place: Place, processes: int) -> list[str]:
    """Have processes upgrade at the same moment; return what they found and left, sorted."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", UPGRADE, place.url, str(place.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate(timeout=60) for process in started]
    assert [errors for _, errors in outcomes if errors] == []
    return sorted(output.strip() for output, _ in outcomes)


def noted(place: Place) -> Sequence[str]:
    return place.schema(named_jars()).standing().noted


def test_four_first_upgrades_at_once_make_one_schema_and_no_error(place: Place) -> None:
    plant(place.folder, "0001_jars", None, FIRST)
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    assert upgrade_together(place, 4) == [*["current current"] * 3, "empty current"]
    assert place.schema(named_jars()).examine().kind is Kind.CURRENT


def test_four_later_upgrades_at_once_run_each_revision_once(place: Place) -> None:
    place.at_the_first_revision()
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    assert upgrade_together(place, 4) == ["behind current", *["current current"] * 3]


def test_upgrade_runs_what_is_pending_and_keeps_the_rows(place: Place) -> None:
    place.at_the_first_revision()
    place.run("INSERT INTO jars (id) VALUES (7)")
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    done = place.schema(named_jars()).upgrade()

    assert done.before.pending == ("0002_names",)
    assert done.after.kind is Kind.CURRENT
    assert place.ask("SELECT id, name FROM jars") == [(7, None)]


def test_upgrade_of_a_current_database_changes_nothing(place: Place) -> None:
    place.at_the_first_revision()

    done = place.schema(jars()).upgrade()

    assert done.before == done.after
    assert done.after.kind is Kind.CURRENT


def test_revision_that_fails_leaves_the_database_as_it_was_and_is_named(place: Place) -> None:
    place.at_the_first_revision()
    place.run("INSERT INTO jars (id) VALUES (7)")
    plant(place.folder, "0002_names", "0001_jars", SECOND)
    plant(place.folder, "0003_lids", "0002_names", '    op.add_column("lids", sa.Column("size", sa.Integer()))\n')

    with pytest.raises(SchemaError, match=r"failed at revision 0003_lids \(r0003_lids.py\), and its database is as"):
        place.schema(named_jars()).upgrade()

    assert noted(place) == ("0001_jars", BUS)
    assert place.ask("SELECT * FROM jars") == [7]


def test_revision_with_a_bug_is_named_with_its_error(place: Place) -> None:
    place.at_the_first_revision()
    plant(place.folder, "0002_names", "0001_jars", "    raise RuntimeError('no lids')\n")

    with pytest.raises(SchemaError, match=r"0002_names .* no lids"):
        place.schema(named_jars()).upgrade()


def test_upgrade_that_is_killed_leaves_nothing_and_the_next_one_does_it_all(place: Place) -> None:
    plant(place.folder, "0001_jars", None, FIRST)
    plant(place.folder, "0002_names", "0001_jars", SECOND + DIE)
    killed = subprocess.run(
        [sys.executable, "-c", UPGRADE, place.url, str(place.folder)], cwd=ROOT, input=b"go\n", check=False, timeout=60
    )
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    done = place.schema(named_jars()).upgrade()

    assert killed.returncode == -signal.SIGKILL
    assert (done.before.kind, done.after.kind) == (Kind.EMPTY, Kind.CURRENT)


def test_tables_that_cannot_be_made_leave_nothing(place: Place) -> None:
    place.run_before_the_bus("CREATE VIEW labels AS SELECT 1 AS id")

    with pytest.raises(SchemaError, match="the upgrade of 'stock' failed at making its tables"):
        place.schema(jars()).upgrade()

    assert place.tables() == set()


def test_revision_of_a_module_may_build_on_one_of_the_bus(place: Place) -> None:
    plant(place.folder, "0001_jars", None, FIRST, depends_on=BUS)

    place.schema(jars()).upgrade()

    assert place.schema(jars()).examine().kind is Kind.CURRENT


def test_bus_comes_to_a_database_that_the_module_has_used_without_it(place: Place) -> None:
    place.run_before_the_bus(
        "CREATE TABLE jars (id INTEGER PRIMARY KEY)",
        "CREATE TABLE labels (id INTEGER PRIMARY KEY, jar_id INTEGER NOT NULL REFERENCES jars)",
    )

    done = place.schema(jars()).upgrade()

    assert (done.before.kind, done.after.kind) == (Kind.BEHIND, Kind.CURRENT)


def test_tables_that_a_module_had_before_its_first_revision_are_noted(place: Place) -> None:
    place.schema(jars()).set_up()
    plant(place.folder, "0001_jars", None, FIRST)

    done = place.schema(jars()).upgrade()

    assert done.before.adopted == ("0001_jars",)
    assert noted(place) == ("0001_jars", BUS)


def test_tables_of_an_earlier_revision_that_was_not_noted_are_brought_forward(place: Place) -> None:
    place.at_the_first_revision()
    place.run("DROP TABLE bus_schema_version", "INSERT INTO jars (id) VALUES (7)")
    plant(place.folder, "0002_names", "0001_jars", SECOND)

    done = place.schema(named_jars()).upgrade()

    assert done.before.adopted == (BUS, "0001_jars")
    assert done.before.pending == ("0002_names",)
    assert place.schema(named_jars()).examine().kind is Kind.CURRENT
    assert place.ask("SELECT id, name FROM jars") == [(7, None)]


def test_table_is_rebuilt_under_the_rows_that_refer_to_it(sqlite: Place) -> None:
    sqlite.at_the_first_revision()
    sqlite.run("INSERT INTO jars (id) VALUES (7)", "INSERT INTO labels (id, jar_id) VALUES (1, 7)")
    plant(sqlite.folder, "0002_names", "0001_jars", REBUILD)

    sqlite.schema(named_jars()).upgrade()

    assert sqlite.ask("SELECT jar_id FROM labels") == [7]
    assert sqlite.schema(named_jars()).examine().kind is Kind.CURRENT


def test_upgrade_that_would_leave_a_reference_to_nothing_is_refused(sqlite: Place) -> None:
    sqlite.at_the_first_revision()
    sqlite.run("INSERT INTO jars (id) VALUES (7)", "INSERT INTO labels (id, jar_id) VALUES (1, 7)")
    plant(sqlite.folder, "0002_names", "0001_jars", SECOND + '    op.execute("DELETE FROM jars")\n')

    with pytest.raises(SchemaError, match="rows of labels would refer to rows of jars that are not there"):
        sqlite.schema(named_jars()).upgrade()

    assert sqlite.ask("SELECT id FROM jars") == [7]


def test_references_are_checked_again_after_an_upgrade(sqlite: Place) -> None:
    sqlite.at_the_first_revision()

    with sqlite.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_change_of_a_table_in_use_gives_up_so_that_nobody_queues_behind_it(
    postgresql: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "LOCK_TIMEOUT", 100)
    postgresql.at_the_first_revision()
    plant(postgresql.folder, "0002_names", "0001_jars", SECOND)

    with postgresql.database.read_engine.connect() as reader:
        reader.exec_driver_sql("SELECT * FROM jars")
        with pytest.raises(SchemaError, match=r"0002_names .* lock timeout"):
            postgresql.schema(named_jars()).upgrade()

    assert noted(postgresql) == ("0001_jars", BUS)


@pytest.mark.parametrize("kind", ["ahead", "foreign"])
def test_database_that_no_revision_begins_with_is_not_upgraded(place: Place, kind: str) -> None:
    place.at_the_first_revision()
    if kind == "ahead":
        place.run("UPDATE bus_schema_version SET version_num = '0009' WHERE version_num = '0001_jars'")
    else:
        place.run("DROP TABLE bus_schema_version", "ALTER TABLE labels ADD COLUMN size INTEGER")

    with pytest.raises(SchemaError):
        place.schema(named_jars()).upgrade()
