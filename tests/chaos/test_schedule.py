from collections import Counter

from tests.chaos.schedule import FIRST, LAST, Kind, schedule


def test_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    first, again, other = (schedule(seed, {Kind.KILL: 5, Kind.STOP: 1, Kind.WIPE: 1}) for seed in (1, 1, 2))

    assert first == again != other


def test_every_fault_that_is_asked_for_happens_while_there_is_load_still() -> None:
    counts = {Kind.KILL: 40, Kind.STOP: 3, Kind.RESTART: 2, Kind.BROKER_KILL: 2, Kind.WIPE: 1, Kind.MOVE: 1}

    faults = schedule(0, counts)

    assert Counter(fault.kind for fault in faults) == counts
    assert all(FIRST <= fault.share <= LAST for fault in faults)
    assert faults == sorted(faults, key=lambda fault: fault.share)
