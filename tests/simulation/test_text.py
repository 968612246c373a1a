from __future__ import annotations

from hypothesis import given, settings

from tests.simulation.schedule import Schedule, parsed, schedules


@settings(max_examples=200, database=None, derandomize=True)
@given(schedule=schedules())
def test_schedule_that_is_written_and_read_is_the_same(schedule: Schedule) -> None:
    assert parsed(repr(schedule)) == schedule
