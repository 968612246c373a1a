"""The page of guarantees: every promise is there, and every test that it names, on the databases that it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.collecting import BEGIN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "guarantees.md").read_text()

#: What a line says of databases, and on which its tests may run then: `UNNAMED` is a file of their own, or none.
UNNAMED = "unnamed"
DATABASES = {
    "both": [{"SQLite", "PostgreSQL"}],
    "PostgreSQL": [{"PostgreSQL"}],
    "SQLite": [{"SQLite"}, {UNNAMED}],
    "none needed": [{UNNAMED}],
}

#: What a test whose ids name no database uses where it runs on PostgreSQL: the tests' server, or programs for its own.
SERVERS = {"postgresql_server", "programs"}

#: The lines of the tables without their heads, as they should be: the promise, the databases, the condition, the test.
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\|( promise |-)", line)]
ROW = re.compile(r"\| (P\d) \| ([^|]+) \| [^|]+ \| `([\w/]+\.py::test_\w+)` \|")
LINES = [line.groups() for line in map(ROW.fullmatch, ROWS) if line]

NAMED = sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE)))


@pytest.fixture(scope="module")
def found() -> dict[str, set[str]]:
    """Return the ids of the tests of the files that the page names, as pytest finds them, with their fixtures."""
    files = sorted({f"tests/{named.partition('::')[0]}" for named in NAMED})
    command = [sys.executable, "-m", "pytest", "-p", "tests.docs.collecting", "--collect-only", "-qq", *files]
    ran = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    told = [line.removeprefix(BEGIN).partition(" ") for line in ran.stdout.splitlines() if line.startswith(BEGIN)]
    return {id: set(fixtures.split(",")) for fixtures, _, id in told}


def test_every_promise_has_its_part_with_tests_and_a_condition() -> None:
    parts = re.split(r"^## (?=P\d)", PAGE, flags=re.MULTILINE)[1:]

    assert [part[:2] for part in parts] == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert all("::test_" in part for part in parts)
    assert [part[:2] for part in parts if "\n\nCondition: " not in part] == []


def test_every_row_of_the_tables_is_a_promise_databases_a_condition_and_a_test() -> None:
    assert [row for row in ROWS if not ROW.fullmatch(row)] == []
    assert {databases for _, databases, _ in LINES} <= DATABASES.keys()


def test_every_row_stands_under_its_promise() -> None:
    parts = re.split(r"^## (?=P\d)", PAGE, flags=re.MULTILINE)[1:]

    assert [(part[:2], found) for part in parts for found in re.findall(r"^\| (P\d)", part, re.M)] == [
        (promise, promise) for promise, _, _ in LINES
    ]


@pytest.mark.parametrize("named", NAMED)
def test_test_that_is_named_as_a_proof_exists(named: str, found: dict[str, set[str]]) -> None:
    assert any(id.partition("[")[0] == f"tests/{named}" for id in found)


@pytest.mark.parametrize(("databases", "named"), [line[1:] for line in LINES])
def test_test_runs_on_the_databases_that_its_line_says(databases: str, named: str, found: dict[str, set[str]]) -> None:
    places = {database_of(id, uses) for id, uses in found.items() if id.partition("[")[0] == f"tests/{named}"}

    assert places in DATABASES[databases]


def database_of(id: str, uses: set[str]) -> str:
    """Return the database on which a test runs."""
    parameters = id.partition("[")[2]
    if "postgres" in parameters or uses & SERVERS:
        return "PostgreSQL"
    return "SQLite" if "sqlite" in parameters else UNNAMED
