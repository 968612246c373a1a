"""Run schedules from a seed; print how many, and the smallest after which something is wrong, if there is one.

Usage: python -m tests.prove.children.simulating SCHEDULES SEED
"""

from __future__ import annotations

import sys
from itertools import count

from hypothesis import HealthCheck, given, seed, settings

from tests.simulation.accounting import problems
from tests.simulation.conftest import simulated
from tests.simulation.schedule import Schedule, schedules
from tests.simulation.world import World


def main() -> None:
    number, chosen = int(sys.argv[1]), int(sys.argv[2])
    with simulated() as world:
        done, told = run(world, number, chosen)
    print(done)
    if told:
        print(told)


def run(world: World, number: int, chosen: int) -> tuple[int, str]:
    """Run so many schedules, or fewer where something is wrong; return how many, and that."""
    numbers = count()

    @seed(chosen)
    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(schedule=schedules())
    def account(schedule: Schedule) -> None:
        next(numbers)
        world.run(schedule)
        if found := problems(world):
            raise AssertionError("\n".join([*found, repr(schedule)]))

    try:
        account()
    except AssertionError as error:
        return next(numbers), str(error)
    return next(numbers), ""


if __name__ == "__main__":
    main()
