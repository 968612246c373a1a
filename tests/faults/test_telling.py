"""At the end of a run stands which layer has caught which fault, also where several processes run the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
def test_caught(record_property):
    record_property("caught", "no inbox check: simulation, sweep")

def test_missed(record_property):
    record_property("caught", "no fork guard: harness")
    assert False
"""


def test_faults_that_were_caught_are_told_with_their_layers_and_missed_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")

    command = [sys.executable, "-m", "pytest", "-p", "tests.telling", "--numprocesses", "1", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    _, _, told = ran.stdout.partition("deliberate faults, and which layer caught them")
    assert "no inbox check: simulation, sweep\n" in told
    assert "no fork guard: harness" not in told


def test_every_run_of_these_tests_tells(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.telling")
