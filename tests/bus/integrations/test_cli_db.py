"""`flask bus db`: upgrading, comparing, printing the SQL, and writing the next revision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import MetaData, text

from bus import Database, Module, assemble
from bus.integrations.flask import BusExtension
from tests.schema.place import ALL_OF_THE_BUS, BUS, FIRST, SECOND, jars, named_jars, plant


class Shelf:
    """An application of two modules: stock, which has revisions, and till, which has neither those nor tables."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self.folder = folder
        plant(folder, "0001_jars", None, FIRST)
        self._start(jars())

    def call(self, *arguments: str) -> Result:
        return self._app.test_cli_runner().invoke(args=["bus", *arguments])

    def said(self, *arguments: str) -> tuple[int, str, str]:
        result = self.call(*arguments)
        return result.exit_code, result.stdout, result.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.call(*arguments, "--json").stdout)

    def renew(self, *, with_revision: bool = True) -> None:
        """Deploy code whose jars have names."""
        if with_revision:
            plant(self.folder, "0002_names", "0001_jars", SECOND)
        self.close()
        self._start(named_jars())

    def run(self, statement: str) -> None:
        with self.databases["stock"].engine.begin() as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        for database in self.databases.values():
            database.close()

    def _start(self, metadata: MetaData) -> None:
        stock, till = (self._url.replace("{module}", name) for name in ("stock", "till"))
        self.databases = {
            "stock": Database("stock", stock, metadata=metadata, migrations=self.folder),
            "till": Database("till", till),
        }
        self._app = Flask(__name__)
        BusExtension(assemble([Module("stock", contract=[]), Module("till", contract=[])], self.databases), self._app)


@pytest.fixture
def shelf(fresh_database_url: str, tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(fresh_database_url, tmp_path / "revisions")
    yield shelf
    shelf.close()


@pytest.fixture
def sqlite_shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(f"sqlite:///{tmp_path}/{{module}}.db", tmp_path / "revisions")
    yield shelf
    shelf.close()


def test_upgrade_says_what_it_has_run(shelf: Shelf) -> None:
    first = shelf.said("db", "upgrade")
    second = shelf.said("db", "upgrade")

    assert first == (0, "", f"stock: ran {ALL_OF_THE_BUS}, 0001_jars\ntill: ran {ALL_OF_THE_BUS}\n")
    assert second == (
        0,
        "",
        f"stock: nothing to do, it is at {BUS}, 0001_jars\ntill: nothing to do, it is at {BUS}\n",
    )


def test_upgrade_of_one_module_leaves_the_others(shelf: Shelf) -> None:
    shelf.call("db", "upgrade", "till")

    code, stdout, _ = shelf.said("db", "check")

    assert code == 1
    assert stdout.splitlines() == [
        "problem  stock: the database of 'stock' has no tables yet; make them: flask bus db upgrade stock",
        f"ok       till: {BUS}",
    ]


def test_upgrade_of_a_module_that_is_not_hosted_is_a_wrong_call(sqlite_shelf: Shelf) -> None:
    code, _, stderr = sqlite_shelf.said("db", "upgrade", "stokc")

    assert (code, stderr) == (2, "Error: this process hosts no module 'stokc'; it hosts stock, till\n")


def test_upgrade_that_fails_is_a_sentence_and_exit_1(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    plant(shelf.folder, "0002_lids", "0001_jars", '    op.execute("DROP TABLE lids")\n')

    code, stdout, stderr = shelf.said("db", "upgrade")

    assert (code, stdout) == (1, "")
    assert stderr.startswith("Error: the upgrade of 'stock' failed at revision 0002_lids (r0002_lids.py), and its")


def test_upgrade_whose_revisions_do_not_lead_to_the_code_says_so(shelf: Shelf) -> None:
    shelf.renew(with_revision=False)

    code, _, stderr = shelf.said("db", "upgrade", "stock")

    assert code == 1
    assert stderr.startswith(
        f"stock: ran {ALL_OF_THE_BUS}, 0001_jars\nproblem: the database of 'stock' has another table"
    )
    assert "flask bus db revision stock -m WHAT" in stderr


def test_upgrade_notes_the_tables_that_an_earlier_build_has_made(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.run("DROP TABLE bus_schema_version")

    code, _, stderr = shelf.said("db", "upgrade", "stock")

    assert code == 0
    assert stderr == f"stock: noted {BUS}, whose tables were there; noted 0001_jars, whose tables were there\n"


def test_check_tells_which_module_is_behind(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.renew()

    code, stdout, _ = shelf.said("db", "check")

    assert code == 1
    assert stdout.splitlines() == [
        "problem  stock: the database of 'stock' is behind this code, it lacks 0002_names; upgrade it: "
        "flask bus db upgrade stock",
        f"ok       till: {BUS}",
    ]


def test_check_tells_of_an_index_that_is_gone(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.run("DROP INDEX ix_bus_outbox_due")

    code, stdout, _ = shelf.said("db", "check", "stock")

    assert code == 1
    assert "index ix_bus_outbox_due (target, due_at, event_id) of bus_outbox is missing" in stdout


def test_check_writes_nothing(shelf: Shelf) -> None:
    shelf.call("db", "check")

    assert shelf.said("db", "upgrade", "till")[2] == f"till: ran {ALL_OF_THE_BUS}\n"


def test_check_as_json_tells_the_same(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.renew()

    assert shelf.json("db", "check") == {
        "ok": False,
        "modules": [
            {
                "module": "stock",
                "standing": "behind",
                "revisions": ["0001_jars", BUS],
                "pending": ["0002_names"],
                "problems": [],
            },
            {"module": "till", "standing": "current", "revisions": [BUS], "pending": [], "problems": []},
        ],
    }


def test_sql_prints_what_the_databases_lack(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.renew()

    code, stdout, stderr = shelf.said("db", "sql")

    assert (code, stderr) == (0, "till: nothing to do\n")
    assert stdout.startswith("-- stock\n")
    assert "ALTER TABLE jars ADD COLUMN name VARCHAR(40)" in stdout
    assert "CREATE TABLE " not in stdout


def test_sql_for_an_empty_database_of_another_kind(sqlite_shelf: Shelf) -> None:
    code, stdout, _ = sqlite_shelf.said("db", "sql", "stock", "--for-empty", "postgresql")

    assert code == 0
    assert "position BIGSERIAL NOT NULL" in stdout


def test_revision_is_written_and_can_be_run(shelf: Shelf) -> None:
    shelf.call("db", "upgrade")
    shelf.renew(with_revision=False)

    code, stdout, stderr = shelf.said("db", "revision", "stock", "-m", "give jars a name")

    assert (code, stdout) == (0, f"{shelf.folder}/r0002_give_jars_a_name.py\n")
    assert stderr.startswith("Read it: ")
    assert shelf.said("db", "upgrade", "stock")[0] == 0
    assert shelf.said("db", "check")[0] == 0


def test_revision_shows_where_it_is_from_here(sqlite_shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_shelf.call("db", "upgrade")
    sqlite_shelf.renew(with_revision=False)
    monkeypatch.chdir(sqlite_shelf.folder.parent)

    assert sqlite_shelf.said("db", "revision", "stock", "-m", "names")[1] == "revisions/r0002_names.py\n"


def test_revision_of_what_has_not_changed_is_a_sentence_and_exit_1(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.call("db", "upgrade")

    code, _, stderr = sqlite_shelf.said("db", "revision", "stock", "-m", "nothing")

    assert (code, stderr) == (1, "Error: the tables of 'stock' are those of its code; there is no revision to write\n")


def test_database_that_does_not_answer_is_one_sentence_and_exit_3(sqlite_shelf: Shelf) -> None:
    sqlite_shelf.call("db", "upgrade", "stock")
    Path(str(sqlite_shelf.databases["till"].url.database)).write_bytes(b"garbage" * 1000)

    code, _, stderr = sqlite_shelf.said("db", "check")

    assert code == 3
    assert stderr.startswith("Error: the database of 'till', sqlite:///")
    assert stderr.endswith(".db, does not answer: file is not a database\n")


@pytest.mark.parametrize("command", [["status"], ["dead", "list"], ["events", "--history"]], ids=" ".join)
def test_other_commands_name_the_upgrade_where_it_is_missing(shelf: Shelf, command: list[str]) -> None:
    code, stdout, stderr = shelf.said(*command)

    assert (code, stdout) == (3, "")
    assert stderr == "Error: the database of 'stock' has no tables yet; make them: flask bus db upgrade stock\n"
