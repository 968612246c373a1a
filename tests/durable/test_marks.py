"""Starts that are marked, and runs that end without an end: what a crash leaves, and who takes it up."""

from __future__ import annotations

import pytest

from bus import (
    module_listener,
)
from bus.failpoint import FailpointError, arm
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome
from bus.testing import FakeClock
from tests.durable.faults import Killed, failing_listener, kill, refuse
from tests.durable.shop import Shop, WantedDish, placed


def test_later_send_commits_a_mark_before_the_listener_runs(shop: Shop) -> None:
    seen: list[tuple[str, str, int]] = []

    @module_listener("kitchen.look")
    def look(event: WantedDish) -> None:
        seen.extend((row.state, row.reason, row.starts) for row in shop.publications())

    shop.listen(look)
    shop.inbox().receive(placed(), 2)

    assert seen == [("retrying", "running", 1)]
    assert shop.states() == {"kitchen.look": "completed"}


def test_first_send_needs_no_mark(shop: Shop) -> None:
    seen: list[int] = []

    @module_listener("kitchen.look")
    def look(event: WantedDish) -> None:
        seen.append(len(shop.publications()))

    shop.listen(look)
    shop.inbox().receive(placed(), 1)

    assert seen == [0]


def test_start_that_never_ended_is_a_crash_after_its_lease(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    with arm("inbox.after_mark", kill), pytest.raises(Killed):
        shop.inbox().receive(placed(7), 2)
    inbox = shop.inbox()

    clock.advance(microseconds=LEASE - 1)
    is_early = inbox.run_due()
    clock.advance(microseconds=1)
    is_noted = inbox.run_due()

    [row] = shop.publications()
    assert (is_early, is_noted) == (False, True)
    assert (row.state, row.reason, row.starts, row.crashes) == ("retrying", "crashed", 1, 0)


def test_crashed_run_is_made_again(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    with arm("inbox.after_mark", kill), pytest.raises(Killed):
        shop.inbox().receive(placed(7), 2)
    inbox = shop.inbox()

    clock.advance(microseconds=LEASE)
    inbox.run_due()
    clock.advance(seconds=1)
    inbox.run_due()

    [row] = shop.publications()
    assert shop.tickets() == [7]
    assert (row.state, row.starts, row.failures, row.crashes) == ("completed", 2, 0, 0)


@pytest.mark.parametrize("place", ["inbox.after_start", "inbox.before_complete", "inbox.before_commit"])
def test_marked_run_whose_failure_is_never_recorded_is_made_again(shop: Shop, clock: FakeClock, place: str) -> None:
    shop.open_tickets()
    with arm(place, refuse), arm("inbox.before_failure", refuse), pytest.raises(FailpointError):
        shop.inbox().receive(placed(7), 2)
    effects_of_the_first_run = shop.tickets()
    inbox = shop.inbox()

    clock.advance(microseconds=LEASE)
    inbox.run_due()
    clock.advance(seconds=1)
    inbox.run_due()

    assert effects_of_the_first_run == []
    assert shop.tickets() == [7]
    assert [(row.state, row.starts, row.failures) for row in shop.publications()] == [("completed", 2, 0)]


def test_failure_that_could_not_be_recorded_is_recorded_late_and_is_no_crash(shop: Shop, clock: FakeClock) -> None:
    shop.listen(failing_listener(shop, failures=1))
    inbox = shop.inbox()
    with arm("inbox.before_failure", refuse), pytest.raises(FailpointError):
        inbox.receive(placed(7), 2)

    clock.advance(microseconds=LEASE)
    inbox.run_due()

    [row] = shop.publications()
    assert (row.reason, row.failures, row.crashes) == ("failed", 1, 0)


def test_sibling_of_a_listener_whose_failure_cannot_be_recorded_has_run(shop: Shop) -> None:
    shop.listen(failing_listener(shop, failures=1))
    shop.open_tickets()

    with arm("inbox.before_failure", refuse), pytest.raises(FailpointError):
        shop.inbox().receive(placed(7), 1)

    assert shop.tickets() == [7]
    assert shop.states() == {"kitchen.open_ticket": "completed"}


def test_crash_after_the_commit_is_harmless(shop: Shop) -> None:
    shop.open_tickets()
    inbox = shop.inbox()
    with arm("inbox.after_commit", kill), pytest.raises(Killed):
        inbox.receive(placed(7), 1)

    inbox.receive(placed(7), 2)

    assert shop.tickets() == [7]


def test_failure_that_cannot_be_recorded_reaches_the_caller(shop: Shop) -> None:
    shop.listen(failing_listener(shop, failures=1))

    with arm("inbox.before_failure", refuse), pytest.raises(FailpointError):
        shop.inbox().receive(placed(), 1)

    assert shop.publications() == []


def test_crash_that_somebody_has_seen_does_not_undo_the_failure_that_was_recorded_meanwhile(
    shop: Shop, clock: FakeClock
) -> None:
    shop.listen(failing_listener(shop, failures=1))
    inbox, seen = shop.inbox(), []

    def see_its_lease_run_out() -> None:
        clock.advance(microseconds=LEASE)
        seen.extend(shop.inbox_store.crashed(["kitchen.fail"], 10))

    with arm("inbox.before_failure", see_its_lease_run_out):
        inbox.receive(placed(7), 2)
    is_noted = shop.inbox_store.record(seen[0], Outcome(State.RETRYING, Reason.CRASHED, 0, 0, 1))

    [row] = shop.publications()
    assert (is_noted, row.reason, row.failures, row.crashes) == (False, "failed", 1, 0)
