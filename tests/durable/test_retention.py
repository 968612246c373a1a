"""How long completed publications are remembered, and how they are forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bus import KillSwitch, Operations, PermanentFailure, RetentionError, RetryPolicy, assemble, operations_of
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.retention import BATCH, BATCHES, RETENTION, SHORTEST_RETENTION, SKEW, Forgetter
from bus.outbox.sqlalchemy import LONGEST_INTERVAL
from bus.testing import FakeClock
from tests.databases import ON_SQLITE
from tests.durable.faults import Raising, dead_letters, pass_time
from tests.durable.shop import KITCHEN, ORDER, Shop, placed, statements

#: After this time nothing remembers a completed publication, whatever the clocks say.
FORGETTABLE = RETENTION + SKEW

MANY = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
INSERT INTO bus_inbox (listener, event_id, state, reason, starts, failures, crashes, due_at)
SELECT 'kitchen.cook', substr(CAST(100000000 + n AS text), 2), :state, :reason, 1, 0, 0, :due_at FROM numbers
"""


def fill(shop: Shop, count: int, state: str = "completed", reason: str | None = None) -> None:
    """Have so many publications end now."""
    values = {"count": count, "state": state, "reason": reason, "due_at": shop.clock.microseconds()}
    with shop.kitchen.write() as connection:
        connection.execute(text(MANY), values)


def forgetter(shop: Shop) -> Forgetter:
    return Forgetter(dead_letters(shop), shop.clock, RETENTION)


@pytest.fixture
def operations(shop: Shop) -> Operations:
    return operations_of(shop.bus)


def test_event_that_comes_too_late_is_a_dead_letter_for_each_listener_and_none_is_run(
    shop: Shop, clock: FakeClock
) -> None:
    listeners = [Raising(shop, id="kitchen.a"), Raising(shop, id="kitchen.b")]
    clock.advance(seconds=RETENTION.total_seconds(), microseconds=1)
    inbox = shop.inbox()

    inbox.receive(placed(7), 2)
    pass_time(inbox, clock, hours=5)

    assert [(row.state, row.reason, row.error_type) for row in shop.publications()] == [
        ("dead", "too_old", "TooOld")
    ] * 2
    assert [listener.runs for listener in listeners] == [[], []]
    assert [row.envelope is not None for row in shop.publications()] == [True, True]


def test_event_that_comes_at_the_last_moment_is_run(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    clock.advance(seconds=RETENTION.total_seconds())

    shop.inbox().receive(placed(7), 2)

    assert listener.runs == [7]


def test_event_that_comes_too_late_leaves_what_it_has_done_as_it_is(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    clock.advance(days=31)

    inbox.receive(placed(7), 2)

    assert shop.states() == {"kitchen.raise": "completed"}


def test_scenario_38_completed_publication_is_forgotten_when_its_time_is_over_and_not_before(
    shop: Shop, clock: FakeClock
) -> None:
    fill(shop, 1)

    clock.advance(seconds=FORGETTABLE.total_seconds())
    forgetter(shop).look()
    kept = len(shop.publications())
    clock.advance(microseconds=1)
    forgetter(shop).look()

    assert (kept, shop.publications()) == (1, [])


def test_forgotten_publication_is_never_run_again_however_late_its_event_comes(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)

    for _ in range(40):
        clock.advance(days=1)
        forgetter(shop).look()
        inbox.receive(placed(7), 2)

    assert listener.runs == [7]


@ON_SQLITE
def test_scenario_38_publications_are_forgotten_a_thousand_at_a_time_each_in_a_transaction_of_its_own(
    shop: Shop, clock: FakeClock
) -> None:
    fill(shop, 2 * BATCH + 1)
    clock.advance(days=31)

    with statements(shop.kitchen) as seen:
        forgetter(shop).look()

    assert BATCH == 1000
    assert shop.publications() == []
    assert [statement.split()[0] for statement in seen].count("BEGIN") == 3


def test_scenario_38_one_look_takes_no_more_than_its_batches_and_the_next_goes_on(shop: Shop, clock: FakeClock) -> None:
    fill(shop, BATCH * BATCHES + 5)
    clock.advance(days=31)
    forgets = forgetter(shop)

    forgets.look()
    left = len(shop.publications())
    forgets.look()

    assert (left, shop.publications()) == (5, [])


def test_look_after_one_that_found_nothing_makes_no_query(shop: Shop) -> None:
    forgets = forgetter(shop)
    forgets.look()

    with statements(shop.kitchen) as seen:
        forgets.look()

    assert seen == []


def test_discarded_publications_are_forgotten_with_their_history_and_dead_letters_never(
    shop: Shop, clock: FakeClock
) -> None:
    Raising(shop, PermanentFailure("a"), PermanentFailure("b"))
    inbox = shop.inbox()
    inbox.receive(placed(1), 1)
    inbox.receive(placed(2), 1)
    dead_letters(shop).discard(PublicationQuery(event_id="event-1"), who="ann", why="a test")

    clock.advance(days=1000)
    forgetter(shop).look()

    assert [(row.event_id, row.reason) for row in shop.publications()] == [("event-2", "permanent")]
    assert dead_letters(shop).attempts("kitchen.raise", "event-1") == []
    assert len(dead_letters(shop).attempts("kitchen.raise", "event-2")) == 1


def test_completed_and_discarded_ones_share_a_batch(shop: Shop, clock: FakeClock) -> None:
    fill(shop, 3, "dead", "discarded")
    with shop.kitchen.write() as connection:
        connection.execute(text("UPDATE bus_inbox SET state = 'completed', reason = NULL WHERE event_id = '00000001'"))
    clock.advance(days=31)
    before = clock.microseconds()

    counts = [dead_letters(shop).forget(before, 2), dead_letters(shop).forget(before, 2)]

    assert counts == [2, 1]


@pytest.mark.parametrize("state", ["retrying", "dead"])
def test_what_is_not_done_is_never_forgotten(shop: Shop, clock: FakeClock, state: str) -> None:
    fill(shop, 3, state, "failed")
    clock.advance(days=1000)

    forgetter(shop).look()

    assert len(shop.publications()) == 3


def test_retention_shorter_than_the_time_of_redelivery_is_refused_at_the_start(tmp_path: Path) -> None:
    too_short = SHORTEST_RETENTION - timedelta(microseconds=1)

    with pytest.raises(RetentionError, match="shorter than"):
        assemble([ORDER, KITCHEN], {}, retention=too_short)
    assert timedelta(microseconds=LONGEST_INTERVAL) * 2 == SHORTEST_RETENTION


def test_operator_may_not_forget_what_may_still_be_sent(shop: Shop, operations: Operations) -> None:
    with pytest.raises(RetentionError, match="too short"):
        operations.forget(RETENTION - timedelta(microseconds=1))
    with pytest.raises(RetentionError, match="too short"):
        operations.forget(timedelta(0), dry_run=True)


def test_operator_sees_what_would_be_forgotten_and_then_forgets_it(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    fill(shop, 1500)
    clock.advance(days=31)

    would = operations.forget(RETENTION, dry_run=True)
    kept = len(shop.publications())
    gone = operations.forget(RETENTION)

    assert (would, kept, gone, shop.publications()) == (1500, 1500, 1500, [])


def test_operator_forgets_with_an_hour_for_the_clocks_of_others(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    fill(shop, 1)
    clock.advance(seconds=FORGETTABLE.total_seconds())
    at_its_time = [operations.forget(RETENTION, dry_run=True), operations.forget(RETENTION)]
    clock.advance(microseconds=1)

    assert at_its_time == [0, 0]
    assert operations.forget(RETENTION) == 1


def test_running_bus_forgets_by_itself(shop: Shop, clock: FakeClock) -> None:
    fill(shop, 10)
    clock.advance(days=31)

    shop.bus.drain()
    shop.bus.stop()

    assert shop.publications() == []


def test_kill_switch_has_a_default_that_judges_fifty_runs() -> None:
    assert RetryPolicy().kill_switch == KillSwitch(runs=50, window=60.0, share=0.5, pause=30.0, longest_pause=600.0)
