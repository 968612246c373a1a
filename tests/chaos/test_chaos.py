"""Whole runs, each in a process of its own: what it must show in every run of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

#: Seconds of the bus's clock for each of the machine's: what a dead process held comes due while the test lasts.
SPEED = 10


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has ended."""

    exit_code: int
    report: dict[str, Any]

    @property
    def violations(self) -> dict[str, Any]:
        return {kind: found for kind, found in self.report["violations"].items() if found["count"]}

    @property
    def kills(self) -> int:
        return int(self.report["faults"]["kills"])


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Name each database in turn; PostgreSQL is a server of the run's own."""
    if request.param == "postgres":
        request.getfixturevalue("programs")
    return str(request.param)


def test_scenario_08_kill_9_at_random_moments_loses_and_repeats_nothing_and_blames_no_innocent(database: str) -> None:
    ran = run(database, events=5_000, kills=15)

    assert ran.violations == {}
    assert (ran.exit_code, ran.kills) == (0, 15)
    assert ran.report["faults"]["kills while a listener ran"] > 0
    assert set(ran.report["rows"].values()) == {2_500 + ran.report["orders"]["recovered"]}


def test_scenario_03_what_was_committed_right_before_a_kill_9_is_delivered_by_others(database: str) -> None:
    ran = run(database, events=400, kills=8, at="transaction.after_commit")

    assert ran.violations == {}
    assert ran.exit_code == 0
    assert ran.kills > 0


def test_scenario_04_what_a_kill_9_kept_from_its_commit_is_never_delivered(database: str) -> None:
    ran = run(database, events=400, kills=8, at="transaction.before_commit")

    assert ran.violations == {}
    assert ran.exit_code == 0
    assert ran.kills > 0


def test_completion_in_a_second_transaction_is_found_by_its_duplicate_effects() -> None:
    ran = run("sqlite", events=400, kills=8, at="transaction.after_commit", fault="completion in a second transaction")

    assert ran.exit_code == 1
    assert ran.violations.keys() == {"duplicate effects"}


def test_restart_of_a_server_that_there_is_not_is_an_error() -> None:
    ended = subprocess.run(command("sqlite", events=2, restarts=1), cwd=ROOT, capture_output=True, check=False)

    assert ended.returncode == 2
    assert b"--restarts is for postgres" in ended.stderr


def run(database: str, *, fault: str | None = None, **options: object) -> Ran:
    """Run the harness, and return what it tells."""
    environment = {**os.environ, **({"BUS_FAULT": fault} if fault else {})}
    asked = command(database, speed=SPEED, **options)
    ended = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout, ended.stderr
    return Ran(ended.returncode, json.loads(ended.stdout))


def command(database: str, **options: object) -> list[str]:
    told = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [sys.executable, "-m", "tests.chaos", "--database", database, *told]
