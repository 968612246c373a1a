"""Would our tests notice? Each deliberate fault is switched on, and the tests that should catch it have to fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.faults import FAULTS
from tests.faults.layers import PROVING
from tests.telling import CAUGHT

ROOT = Path(__file__).parents[2]

#: The way of an event and its answer, which no fault makes fail: each is a mistake, and not a wreck that stops at once.
CONTROL = "tests/durable/test_runtime.py::test_drain_follows_modules_that_answer_one_another"

#: A failed test and, as pytest tells it, why: what is asserted, or the name of the error.
_FAILED = re.compile(r"^FAILED (\S+) - ([\w.]+)", re.MULTILINE)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught_by_each_test_that_stands_for_it(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    fault = FAULTS[name]
    noticing = {"assert", "AssertionError", "Failed", *(error.__name__ for error in fault.raising)}

    ran = run(name, (*fault.caught_by, f"{CONTROL}[sqlite]", f"{CONTROL}[postgresql]"))

    failed = {test: error.rpartition(".")[2] for test, error in _FAILED.findall(ran.stdout)}
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert failed.keys() == set(fault.caught_by), ran.stdout
    assert set(failed.values()) <= noticing, ran.stdout
    record_property(CAUGHT, f"{name}: {', '.join(fault.layers)}")


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught_by_a_layer_that_proves(name: str) -> None:
    assert PROVING.intersection(FAULTS[name].layers)


@pytest.mark.parametrize("layer", sorted(PROVING))
def test_layer_that_proves_catches_a_fault(layer: str) -> None:
    assert any(layer in fault.layers for fault in FAULTS.values())


def run(fault: str, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        # Wide enough for a name and an error, however long.
        env={**os.environ, "BUS_FAULT": fault, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
