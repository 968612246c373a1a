"""Would our tests notice? Each deliberate fault is switched on, and the tests that should catch it have to fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.faults import FAULTS
from tests.faults.layers import layer_of
from tests.telling import CAUGHT

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught_by_each_test_that_stands_for_it(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    fault = FAULTS[name]

    ran = run(name, fault.caught_by)

    missed = [test for test in fault.caught_by if f"FAILED {test}" not in ran.stdout]
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert missed == [], ran.stdout
    record_property(CAUGHT, f"{name}: {', '.join(sorted(set(map(layer_of, fault.caught_by))))}")


def run(fault: str, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env={**os.environ, "BUS_FAULT": fault},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
