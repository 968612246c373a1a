"""How the application starts on databases that are empty, old, or newer than its code."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from bus import SchemaError
from modular_app.app import create_app
from modular_app.container import MODULES
from tests.app.conftest import MakeApp
from tests.app.counter import Counter

ROOT = Path(__file__).parents[2]

START = """
import sys
from modular_app.app import create_app
print("ready", flush=True)
sys.stdin.readline()
app = create_app({"DATABASE_URL": sys.argv[1]})
print(*app.extensions["modular-app"].notices)
"""


def change(tmp_path: Path, module: str, *statements: str) -> None:
    with closing(sqlite3.connect(tmp_path / f"{module}.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def begin(database_url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flask", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi", "FLASK_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(database_url: str, *arguments: str) -> tuple[int, str]:
    process = begin(database_url, *arguments)
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/{{module}}.db"


def test_four_simultaneous_first_starts_make_one_schema_and_no_error(tmp_path: Path, make_app: MakeApp) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", START, url(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
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
    assert sorted("restaurant demo" in output for output, _ in outcomes) == [False, False, False, True]
    assert Counter(make_app()).place_and_settle()


def test_start_on_a_database_that_is_behind_names_the_command(make_app: MakeApp, tmp_path: Path) -> None:
    make_app()
    change(tmp_path, "kitchen", *(f"DROP TABLE {name}" for name in reversed(kitchen_tables())))
    change(tmp_path, "kitchen", "DELETE FROM bus_schema_version WHERE version_num = '0001_first_tables'")

    with pytest.raises(SchemaError, match=r"'kitchen' is behind .* lacks 0001_first_tables; .*flask bus db upgrade"):
        make_app()


def kitchen_tables() -> list[str]:
    (kitchen,) = (module for module in MODULES if module.name == "kitchen")
    return [table.name for table in kitchen.metadata().sorted_tables]


def test_start_on_a_database_of_newer_code_is_refused(make_app: MakeApp, tmp_path: Path) -> None:
    make_app()
    change(tmp_path, "order", "UPDATE bus_schema_version SET version_num = '0002_tips' WHERE version_num LIKE '0001%'")

    with pytest.raises(SchemaError, match="'order' is ahead of this code, which does not know its revision 0002_tips"):
        make_app()


def test_databases_that_have_not_noted_their_revisions_are_taken_over_with_their_rows(
    make_app: MakeApp, tmp_path: Path
) -> None:
    order_id = Counter(make_app()).place_and_settle()
    for module in MODULES:
        change(tmp_path, module.name, "DROP TABLE bus_schema_version")

    counter = Counter(make_app())

    assert counter.status(order_id) == "accepted"
    assert counter.parts.notices == ()


def test_databases_of_the_release_before_revisions_are_upgraded_with_their_rows(
    make_app: MakeApp, tmp_path: Path
) -> None:
    order_id = Counter(make_app()).place_and_settle()
    for module in MODULES:
        change(
            tmp_path, module.name, "DROP TABLE bus_schema_version", "ALTER TABLE bus_event DROP COLUMN transaction_id"
        )

    with pytest.raises(SchemaError, match="'order' is behind this code, it lacks bus_0002; upgrade it"):
        make_app()
    upgraded = command(url(tmp_path), "bus", "db", "upgrade", "order", "kitchen", "restaurant")

    assert upgraded[0] == 0
    assert Counter(make_app()).status(order_id) == "accepted"


def test_upgrade_mends_what_a_start_refuses(make_app: MakeApp, tmp_path: Path) -> None:
    make_app()
    change(tmp_path, "kitchen", *(f"DROP TABLE {name}" for name in reversed(kitchen_tables())))
    change(tmp_path, "kitchen", "DELETE FROM bus_schema_version WHERE version_num = '0001_first_tables'")

    code, told = command(url(tmp_path), "run")
    mended = command(url(tmp_path), "bus", "db", "upgrade", "kitchen")

    assert code == 1
    assert told.splitlines()[-1].startswith("Error: the database of 'kitchen' is behind this code")
    assert mended == (0, "kitchen: ran 0001_first_tables\n")
    assert Counter(make_app()).place_and_settle()


def test_settled_application_has_the_tables_of_its_code(make_app: MakeApp) -> None:
    result = make_app().test_cli_runner().invoke(args=["bus", "db", "check"])

    assert (result.exit_code, result.stdout) == (
        0,
        "ok       kitchen: bus_0002, 0001_first_tables\n"
        "ok       order: bus_0002, 0001_first_tables\n"
        "ok       restaurant: bus_0002, 0001_first_tables\n",
    )


def test_start_on_an_empty_server_is_refused_until_somebody_has_upgraded(fresh_postgresql_url: str) -> None:
    code, told = command(fresh_postgresql_url, "run")
    upgraded, _ = command(fresh_postgresql_url, "bus", "db", "upgrade")
    app = create_app({"DATABASE_URL": fresh_postgresql_url})
    order_id = Counter(app).place_and_settle()
    close(app)

    assert code == 1
    assert told.splitlines()[-1].endswith("'order' has no tables yet; make them: flask bus db upgrade order")
    assert (upgraded, bool(order_id)) == (0, True)


def test_four_simultaneous_first_upgrades_on_a_server_make_one_schema_and_no_error(fresh_postgresql_url: str) -> None:
    started = [begin(fresh_postgresql_url, "bus", "db", "upgrade") for _ in range(4)]

    told = [process.communicate(timeout=60)[1] for process in started]
    app = create_app({"DATABASE_URL": fresh_postgresql_url})
    close(app)

    assert [process.returncode for process in started] == [0] * 4
    for module in MODULES:
        assert sum(f"{module.name}: ran bus_0001" in each for each in told) == 1


def close(app: Flask) -> None:
    app.extensions["modular-app"].bus.stop()
    for database in app.extensions["modular-app"].databases.values():
        database.close()
