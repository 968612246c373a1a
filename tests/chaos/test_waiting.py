from tests.chaos.waiting import Times, longest_wait

#: The fault, in microseconds.
FAULT = 100_000_000


def test_order_from_before_the_last_fault_waits_from_that_fault_on() -> None:
    times = Times(placed={1: FAULT - 50_000_000}, done={1: FAULT + 8_000_000})

    assert longest_wait(times, FAULT, speed=1) == 8


def test_order_from_after_the_last_fault_waits_from_its_placing_on() -> None:
    times = Times(placed={1: FAULT + 50_000_000}, done={1: FAULT + 53_000_000})

    assert longest_wait(times, FAULT, speed=1) == 3


def test_longest_wait_counts_in_the_machines_seconds() -> None:
    times = Times(placed={1: FAULT, 2: FAULT}, done={1: FAULT + 1_000_000, 2: FAULT + 10_000_000})

    assert longest_wait(times, FAULT, speed=5) == 2


def test_what_was_done_before_the_last_fault_waited_for_nothing() -> None:
    assert longest_wait(Times(placed={1: 1}, done={1: 2}), FAULT, speed=1) == 0
