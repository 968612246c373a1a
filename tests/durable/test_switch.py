"""When a listener should pause itself, by how its last runs ended."""

from __future__ import annotations

import pytest

from bus import KillSwitch
from bus.inbox.switch import RunRecord

SWITCH = KillSwitch(runs=4, window=60.0, share=0.5)


@pytest.mark.parametrize(
    ("failures", "is_tripped"), [("FFOO", True), ("OFOF", True), ("FOOO", False), ("OOOO", False), ("FFFF", True)]
)
def test_share_of_failures_decides(failures: str, is_tripped: bool) -> None:
    record = RunRecord()

    told = [record.add("l", 0, has_failed=failure == "F", switch=SWITCH) for failure in failures]

    assert told == [False, False, False, is_tripped]


def test_runs_outside_the_window_are_not_judged() -> None:
    record = RunRecord()
    spread = [record.add("l", number * 20_000_001, has_failed=True, switch=SWITCH) for number in range(8)]
    exact = RunRecord()
    within = [exact.add("l", number * 20_000_000, has_failed=True, switch=SWITCH) for number in range(4)]

    assert not any(spread)
    assert within == [False, False, False, True]


def test_only_the_last_runs_are_judged() -> None:
    record = RunRecord()
    for _ in range(4):
        record.add("l", 0, has_failed=False, switch=SWITCH)

    told = [record.add("l", 0, has_failed=True, switch=SWITCH) for _ in range(2)]

    assert told == [False, True]


def test_new_judgement_needs_new_runs() -> None:
    record = RunRecord()

    told = [record.add("l", 0, has_failed=True, switch=SWITCH) for _ in range(8)]

    assert told == [False, False, False, True] * 2


def test_each_listener_is_judged_by_its_own_runs() -> None:
    record = RunRecord()

    told = [record.add(id, 0, has_failed=True, switch=SWITCH) for id in "abababa"]

    assert told == [False] * 6 + [True]
