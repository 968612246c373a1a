from __future__ import annotations

from tests.chaos.report import undisturbed


def test_run_that_nothing_disturbs_takes_what_the_clock_says() -> None:
    assert undisturbed({"total": 20.0, "processor": 50.0}) == 20.0


def test_run_beside_other_work_takes_what_its_processes_use_of_two_cores() -> None:
    assert undisturbed({"total": 200.0, "processor": 50.0}) == 25.0
