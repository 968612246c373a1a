from tests.chaos.waiting import Ended, Times, late, longest_wait

#: The fault, in microseconds.
FAULT = 100_000_000


def test_order_from_before_the_last_fault_waits_from_that_fault_on() -> None:
    times = Times({1: FAULT - 50_000_000}, [Ended(1, FAULT + 8_000_000)])

    assert longest_wait(times, FAULT, speed=1) == 8


def test_order_from_after_the_last_fault_waits_from_its_placing_on() -> None:
    times = Times({1: FAULT + 50_000_000}, [Ended(1, FAULT + 53_000_000)])

    assert longest_wait(times, FAULT, speed=1) == 3


def test_longest_wait_counts_in_the_machines_seconds() -> None:
    times = Times({1: FAULT, 2: FAULT}, [Ended(1, FAULT + 1_000_000), Ended(2, FAULT + 10_000_000)])

    assert longest_wait(times, FAULT, speed=5) == 2


def test_what_was_done_before_the_last_fault_waited_for_nothing() -> None:
    assert longest_wait(Times({1: 1}, [Ended(1, 2)]), FAULT, speed=1) == 0


def test_what_took_longer_than_it_may_is_told_with_its_way_the_longest_first() -> None:
    ended = [Ended(number, FAULT + seconds * 1_000_000, "a way") for number, seconds in ((1, 25), (2, 20), (3, 30))]

    told = late(Times(dict.fromkeys((1, 2, 3), FAULT), ended), FAULT, speed=1, prompt=20)

    assert told == ["order 3: a way, done after 30.0 s", "order 1: a way, done after 25.0 s"]
