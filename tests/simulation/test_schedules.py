"""Whatever the schedule, nothing is lost, twice, phantom or stuck when all is drained, and no innocent is given up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from bus.failpoint import FAILPOINTS
from tests.simulation.accounting import problems
from tests.simulation.schedule import ACTS_INSIDE, Schedule, certain, parsed, schedules
from tests.simulation.world import World

#: What was found once, the smallest schedule of each.
SEEDS = sorted((Path(__file__).parent / "seeds").glob("*.txt"))

#: Schedules that every run of the tests draws, always the same.
DRAWN = 1000

#: A deliberate fault has to be found, and not to be made small.
PHASES = [Phase.generate] if "BUS_FAULT" in os.environ else [Phase.generate, Phase.shrink]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.stem)
def test_what_was_found_once_is_found_no_more(world: World, seed: Path) -> None:
    world.run(parsed(seed.read_text()))

    assert problems(world) == []


def test_everything_is_accounted_for_after_any_schedule(world: World) -> None:
    @settings(
        max_examples=DRAWN,
        deadline=None,
        derandomize=True,
        database=None,
        phases=PHASES,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(schedule=schedules())
    def account(schedule: Schedule) -> None:
        world.run(schedule)
        assert problems(world) == []

    account()
    for schedule in certain():
        world.run(schedule)
        assert problems(world) == [], schedule

    # What befell nobody would prove nothing.
    assert [place for place in FAILPOINTS if not world.struck[place]] == []
    assert [act for act in dict.fromkeys(ACTS_INSIDE) if not world.befell[act]] == []
