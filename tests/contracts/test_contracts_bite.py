"""Each contract sees its promises broken: the implementations in `broken/` fail where they are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.stem for path in (Path(__file__).parent / "broken").glob("[a-z]*.py"))

_FAILED = re.compile(r"^FAILED ([^\s\[]+)", re.MULTILINE)


def promises_broken_in(file: str) -> Iterator[str]:
    for name, found in vars(import_module(f"tests.contracts.broken.{file}")).items():
        if name.startswith("Test"):
            yield from (f"tests/contracts/broken/{file}.py::{name}::{test}" for test in found.breaks)


#: The tests that have to fail, as pytest names them.
BROKEN = [promise for file in FILES for promise in promises_broken_in(file)]


@pytest.fixture(scope="module")
def failed() -> set[str]:
    """What fails of all that, run at once in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", *BROKEN]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return set(_FAILED.findall(ran.stdout))


@pytest.mark.parametrize("promise", BROKEN, ids=lambda promise: promise.partition("::")[2])
def test_contract_fails_where_its_promise_is_broken(failed: set[str], promise: str) -> None:
    assert promise in failed
