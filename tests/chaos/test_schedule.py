from collections import Counter

from tests.chaos.schedule import FIRST, LAST, Kind, schedule


def test_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    first, again, other = (schedule(seed, kills=5, stops=1, restarts=1) for seed in (1, 1, 2))

    assert first == again != other


def test_every_fault_that_is_asked_for_happens_while_there_is_load_still() -> None:
    faults = schedule(0, kills=40, stops=3, restarts=2)

    assert Counter(fault.kind for fault in faults) == {Kind.KILL: 40, Kind.STOP: 3, Kind.RESTART: 2}
    assert all(FIRST <= fault.share <= LAST for fault in faults)
    assert faults == sorted(faults, key=lambda fault: fault.share)
