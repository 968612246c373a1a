"""Whole runs, each in a process of its own: what it must show in every run of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.report import undisturbed
from tests.own_broker import BROKERS, lacks

ROOT = Path(__file__).parents[2]

#: Seconds of the bus's clock for each of the machine's: what a dead process held comes due while the test lasts.
SPEED = 10

#: The same over a broker: what lies in a queue is not to come due there.
BROKER_SPEED = 4

#: Seconds that a run of 5,000 events may take on two cores, and a run over a broker.
BOUND, BROKER_BOUND = 25, 40

#: How much more processor time a run uses beside many others: leases end in what is slow, and it is made again.
CROWDED = 2

#: Seconds after the last fault within which everything is done, alone on two cores 20, as `make prove` has it.
PROMPT = 20 * CROWDED

#: Seconds after which a run is no longer waited for, however busy the machine is.
HANGING = 600


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

    @property
    def seconds(self) -> float:
        return undisturbed(self.report["seconds"]) / CROWDED


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """Name each database in turn; PostgreSQL is a server of the run's own."""
    if request.param == "postgres":
        request.getfixturevalue("programs")
    return str(request.param)


@pytest.fixture(params=BROKERS)
def transport(request: pytest.FixtureRequest, programs: Path) -> str:
    """Name each broker in turn, a server of the run's own; without its program the test is skipped, or fails."""
    kind = str(request.param)
    lacking = lacks(kind)
    if lacking and os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"no {lacking} is installed")
    if lacking:
        pytest.skip(f"no {lacking} is installed")
    return kind


def test_scenario_08_kill_9_at_random_moments_loses_and_repeats_nothing_and_blames_no_innocent(database: str) -> None:
    ran = run(database, events=5_000, kills=15)

    assert ran.violations == {}
    assert (ran.exit_code, ran.kills) == (0, 15)
    assert ran.report["faults"]["kills while a listener ran"] > 0
    assert set(ran.report["rows"].values()) == {2_500 + ran.report["orders"]["recovered"]}
    assert ran.seconds <= BOUND


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


def test_scenario_35_killed_workers_and_a_broker_that_is_killed_and_forgets_lose_and_repeat_nothing(
    transport: str,
) -> None:
    ran = run(
        "postgres",
        transport=transport,
        events=2_000,
        kills=6,
        broker_kills=1,
        wipes=1,
        speed=BROKER_SPEED,
        prompt=PROMPT,
    )

    assert ran.violations == {}
    assert (ran.exit_code, ran.kills) == (0, 6)
    assert (ran.report["faults"]["broker kills"], ran.report["faults"]["wipes"]) == (1, 1)
    assert ran.report["settled_after"] <= PROMPT
    assert ran.seconds <= BROKER_BOUND


def test_scenario_33_listeners_move_in_mid_run_from_those_who_publish_to_workers(transport: str) -> None:
    ran = run("postgres", transport=transport, events=600, kills=2, moves=1, speed=BROKER_SPEED)

    assert ran.violations == {}
    assert (ran.exit_code, ran.report["faults"]["moves"]) == (0, 1)


def test_completion_in_a_second_transaction_is_found_by_its_duplicate_effects() -> None:
    ran = run("sqlite", events=400, kills=8, at="transaction.after_commit", fault="completion in a second transaction")

    assert ran.exit_code == 1
    assert ran.violations.keys() == {"duplicate effects"}


def test_run_in_which_nothing_more_is_published_is_given_up_and_keeps_its_files() -> None:
    with kept_folder() as folder:
        asked = {"events": 2, "kills": 1_000_000, "at": "transaction.before_commit", "patience": 2, "folder": folder}
        ended = subprocess.run(command("sqlite", **asked), cwd=ROOT, capture_output=True, timeout=HANGING, check=False)
        kept = list(folder.glob("journal-*"))

    told = json.loads(ended.stdout)["violations"]["blocked publishers"]
    assert (ended.returncode, told["count"]) == (1, 1)
    assert told["examples"] == ["0 of 1 orders were published, and no more"]
    assert f"databases, journals and logs are in {folder}" in ended.stderr.decode()
    assert kept != []


def test_restart_of_a_server_that_there_is_not_is_an_error() -> None:
    ended = subprocess.run(command("sqlite", events=2, restarts=1), cwd=ROOT, capture_output=True, check=False)

    assert ended.returncode == 2
    assert b"--restarts is for postgres" in ended.stderr


def test_broker_that_there_is_not_can_neither_be_killed_nor_forget() -> None:
    ended = subprocess.run(command("sqlite", events=2, wipes=1), cwd=ROOT, capture_output=True, check=False)

    assert ended.returncode == 2
    assert b"--broker-kills, --wipes and --moves are for --transport" in ended.stderr


def run(database: str, *, fault: str | None = None, speed: int = SPEED, **options: object) -> Ran:
    """Run the harness, and return what it tells."""
    environment = {**os.environ, **({"BUS_FAULT": fault} if fault else {})}
    with kept_folder() as folder:
        asked = command(database, speed=speed, **options, **({"folder": folder} if "BUS_FAULT" in environment else {}))
        ended = subprocess.run(
            asked, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=HANGING, check=False
        )
    assert ended.stdout, ended.stderr
    return Ran(ended.returncode, json.loads(ended.stdout))


@contextmanager
def kept_folder() -> Iterator[Path]:
    """Give the name of a folder for a run that would keep what it leaves; it is removed in the end."""
    with tempfile.TemporaryDirectory() as folder:
        # The server of a run is another user's.
        Path(folder).chmod(0o755)
        yield Path(folder) / "run"


def command(database: str, **options: object) -> list[str]:
    told = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", "tests.chaos", "--database", database, *told]
