"""The page of guarantees: every promise is there, and every test that it names, on the databases that it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "guarantees.md").read_text()

#: What a line says of databases, and words of which the ids of its test have to have one each.
DATABASES = {"both": ("sqlite", "postgres"), "PostgreSQL": (), "SQLite": (), "none needed": ()}

#: A line of a table: the databases, what has gone wrong, and the test.
LINES = re.findall(r"^\| ([^|]*) \| [^|]* \| `([^`]*)` \|$", PAGE, flags=re.MULTILINE)

NAMED = sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE)))


@pytest.fixture(scope="module")
def found() -> set[str]:
    """Return the ids of the tests that the page names, as pytest finds them."""
    files = sorted({f"tests/{named.partition('::')[0]}" for named in NAMED})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return set(ran.stdout.splitlines())


def test_every_promise_has_its_part_with_tests() -> None:
    parts = re.split(r"^## (?=P\d)", PAGE, flags=re.MULTILINE)[1:]

    assert [part[:2] for part in parts] == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert all("::test_" in part for part in parts)


@pytest.mark.parametrize("named", NAMED)
def test_test_that_is_named_as_a_proof_exists(named: str, found: set[str]) -> None:
    assert any(id.partition("[")[0] == f"tests/{named}" for id in found)


@pytest.mark.parametrize(("databases", "named"), LINES)
def test_test_runs_on_the_databases_that_its_line_says(databases: str, named: str, found: set[str]) -> None:
    ids = [id for id in found if id.partition("[")[0] == f"tests/{named}"]

    assert [word for word in DATABASES[databases] if not any(word in id for id in ids)] == []
