"""Every failpoint in the code stands in the list that the sweeps go through, and is passed somewhere."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bus.failpoint import FAILPOINTS
from tests.cluster.test_two_servers import (
    test_scenario_36_module_that_dies_at_a_failpoint_costs_nothing_with_the_other_on_another_server as two_servers,
)
from tests.durable.test_crashes import (
    test_scenario_09_kill_9_at_a_failpoint_loses_nothing_and_repeats_no_effect as kills,
)
from tests.durable.test_standing_still import (
    test_scenario_10_process_that_stands_still_at_a_failpoint_and_goes_on_loses_and_repeats_nothing as stops,
)

BUS = Path(__file__).parents[2] / "bus"


def names_in(source: str) -> Iterator[str]:
    """Yield the names that are given to `failpoint`, or as `at` to a function that hands them on to it."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            yield from (str(value.value) for value in _names_of(call) if isinstance(value, ast.Constant))


def _names_of(call: ast.Call) -> list[ast.expr]:
    is_failpoint = isinstance(call.func, ast.Name) and call.func.id == "failpoint"
    handed_on = [keyword.value for keyword in call.keywords if keyword.arg == "at"]
    return [*(call.args if is_failpoint else []), *handed_on]


def test_list_of_failpoints_is_what_the_code_passes() -> None:
    names = [name for path in sorted(BUS.rglob("*.py")) for name in names_in(path.read_text())]

    assert sorted(names) == sorted(FAILPOINTS)


@pytest.mark.parametrize("sweep", [kills, stops, two_servers], ids=["kills", "stops", "two-servers"])
def test_sweep_goes_through_every_failpoint(sweep: Callable[..., None]) -> None:
    marks: list[pytest.Mark] = sweep.pytestmark  # type: ignore[attr-defined]  # pytest's own place for a test's marks

    [(names, values)] = [mark.args for mark in marks if mark.name == "parametrize"]
    places = list(values) if names == "place" else [place for _, place in values]
    assert places == list(FAILPOINTS)


@pytest.mark.parametrize("line", ['failpoint("inbox.new")', 'self._send(target, at="inbox.new")'])
def test_name_of_a_failpoint_is_found_where_it_is_passed(line: str) -> None:
    assert list(names_in(f"def run():\n    if armed:\n        {line}\n")) == ["inbox.new"]
