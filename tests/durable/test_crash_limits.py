"""Crashes: noticed after the lease, made again alone, counted only there, and given up at their limit."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from bus import RetryPolicy
from bus.failpoint import arm
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import UNENDED
from bus.inbox.store import Publication
from bus.testing import FakeClock
from tests.durable.faults import Killed, Log, Raising, dead_letters, kill, pass_time
from tests.durable.shop import Shop, placed


def crash(shop: Shop, clock: FakeClock, *, at: str = "inbox.after_alone") -> str:
    """Have a process die in the middle of the next run, note that in another, and return what was noted."""
    with arm(at, kill), suppress(Killed):
        shop.inbox().run_due()
    return noted(shop, clock)


def noted(shop: Shop, clock: FakeClock) -> str:
    clock.advance(microseconds=LEASE)
    shop.inbox().run_due()
    [row] = shop.publications()
    clock.advance(hours=1)
    return f"{row.state} {row.reason} {row.crashes}"


def crashing_first_run(shop: Shop) -> None:
    """Have a process die in the middle of a marked run."""
    with arm("inbox.after_mark", kill), pytest.raises(Killed):
        shop.inbox().receive(placed(7), 2)


def test_scenario_21_first_crash_is_not_counted_and_those_alone_are(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    crashing_first_run(shop)

    told = [noted(shop, clock), *(crash(shop, clock) for _ in range(3))]

    assert told == ["retrying crashed 0", "retrying crashed 1", "retrying crashed 2", "dead crashed 3"]
    assert (listener.runs, shop.tickets()) == ([], [])


@pytest.mark.parametrize("limit", [1, 2])
def test_scenario_21_crash_limit_is_the_policys(shop: Shop, clock: FakeClock, limit: int) -> None:
    Raising(shop, retry=RetryPolicy(max_crashes=limit))
    crashing_first_run(shop)

    told = [noted(shop, clock), *(crash(shop, clock) for _ in range(limit))]

    assert told[-1] == f"dead crashed {limit}"
    assert not any(state.startswith("dead") for state in told[:-1])


def test_scenario_21_dead_letter_of_a_crash_loop_has_its_whole_history(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    crashing_first_run(shop)
    noted(shop, clock)
    for _ in range(3):
        crash(shop, clock)

    history = dead_letters(shop).attempts("kitchen.raise", "event-7")
    assert [tried.outcome for tried in history] == ["crashed"] * 4
    assert [tried.error_type for tried in history] == ["Crash"] * 4
    assert ["alone" in (tried.error or "") for tried in history] == [False, True, True, True]


def test_crash_is_made_again_after_a_jittered_delay(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    crashing_first_run(shop)
    clock.advance(microseconds=LEASE)

    shop.inbox(random.Random(3)).run_due()

    [row] = shop.publications()
    assert 0 < row.due_at - clock.microseconds() <= 1_000_000


def test_crash_is_noted_though_there_is_always_something_else_to_run(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, *[ValueError("no dough")] * 5)
    inbox = shop.inbox()
    for number in range(5):
        inbox.receive(placed(number), 1)
    crashing_first_run(shop)
    clock.advance(hours=1)

    inbox.has_due()
    inbox.run_due()

    reasons = {row.event_id: row.reason for row in shop.publications()}
    assert reasons.pop("event-7") == "crashed"
    assert "failed" in reasons.values()


def test_crash_is_noted_once_by_many_processes(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    crashing_first_run(shop)
    clock.advance(microseconds=LEASE)

    found = [shop.inbox().run_due() for _ in range(4)]

    assert found == [True, False, False, False]
    assert len(dead_letters(shop).attempts("kitchen.raise", "event-7")) == 1


def test_run_alone_that_completes_forgets_nothing_and_completes(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    crashing_first_run(shop)
    noted(shop, clock)
    crash(shop, clock)

    pass_time(shop.inbox(), clock)

    [row] = shop.publications()
    assert (row.state, row.crashes, row.starts, shop.tickets()) == ("completed", 1, 3, [7])


def test_failure_alone_is_a_failure_and_no_crash(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no dough"))
    crashing_first_run(shop)
    noted(shop, clock)

    shop.inbox().run_due()

    assert [(row.reason, row.failures, row.crashes) for row in shop.publications()] == [("failed", 1, 0)]


def test_publication_that_has_crashed_alone_and_failed_since_is_run_alone_all_the_same(
    shop: Shop, clock: FakeClock
) -> None:
    Raising(shop, ValueError("no dough"))
    crashing_first_run(shop)
    noted(shop, clock)
    crash(shop, clock)
    shop.inbox().run_due()
    clock.advance(hours=1)

    told = crash(shop, clock)

    assert told == "retrying crashed 2"


def test_retry_that_crashes_keeps_its_failures(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no dough"))
    shop.inbox().receive(placed(7), 1)
    clock.advance(hours=1)

    crash(shop, clock, at="inbox.after_claim")
    pass_time(shop.inbox(), clock)

    [row] = shop.publications()
    assert (row.state, row.failures, row.crashes) == ("completed", 1, 0)


def test_scenario_21_innocents_that_ran_beside_a_crash_complete_and_none_is_blamed(
    shop: Shop, clock: FakeClock
) -> None:
    Raising(shop)
    inbox = shop.inbox()
    for number in range(8):
        shop.mark(Publication("kitchen.raise", placed(number)))

    with arm("inbox.after_alone", killer(shop, "event-7")):
        for _ in range(40):
            clock.advance(microseconds=LEASE + 1_000_000)
            with suppress(Killed):
                inbox.run_due()

    by_event = {row.event_id: (row.state, row.crashes) for row in shop.publications()}
    assert by_event.pop("event-7") == ("dead", 3)
    assert set(by_event.values()) == {("completed", 0)}
    assert sorted(shop.tickets()) == list(range(7))


def test_crashes_of_a_paused_listener_are_noted_and_not_run(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    crashing_first_run(shop)
    with shop.kitchen.write() as connection:
        connection.execute(
            text("INSERT INTO bus_pause VALUES ('kitchen', 'operator', 'no gas', 'ann', 0, NULL, 0)"),
        )
    inbox = shop.inbox()
    inbox.has_due()

    pass_time(inbox, clock, hours=3)

    assert listener.runs == []
    assert [(row.reason, row.crashes) for row in shop.publications()] == [("crashed", 0)]


def test_more_crashes_than_one_look_notes_are_noted_by_the_next(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    for number in range(130):
        shop.mark(Publication("kitchen.raise", placed(number)))

    pass_time(shop.inbox(), clock, hours=4)

    assert sorted(listener.runs) == list(range(130))
    assert {row.state for row in shop.publications()} == {"completed"}


def test_dead_letter_of_crashes_is_told_as_an_error_with_the_ids(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, retry=RetryPolicy(max_crashes=1))
    crashing_first_run(shop)
    noted(shop, clock)

    with Log("given up") as log:
        crash(shop, clock)

    assert log.heard.is_set()
    assert "listener kitchen.raise, event event-7" in log.lines[-1]


def killer(shop: Shop, event_id: str) -> Callable[[], None]:
    """Return what kills the process whenever a run of one event has begun."""

    def kill_its_run() -> None:
        now = shop.clock.microseconds()
        if any(row.event_id == event_id and row.reason in UNENDED and row.due_at > now for row in shop.publications()):
            raise Killed

    return kill_its_run
