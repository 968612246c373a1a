"""Dead letters: asked for, grouped, run again, and given up for good, with their history kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from bus import Operations, PermanentFailure, RetryPolicy, operations_of
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.inbox import Inbox
from bus.inbox.retention import RETENTION
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication, Trouble
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Raising, dead_letters, pass_time
from tests.durable.shop import Shop, placed, statements

ONCE = RetryPolicy(max_failures=1, kill_switch=None)


@pytest.fixture
def operations(shop: Shop) -> Operations:
    return operations_of(shop.bus)


@pytest.fixture
def filled(shop: Shop, clock: FakeClock) -> Inbox:
    """Return the inbox of a kitchen with three dead letters, an hour apart, one discarded and one completed event."""
    Raising(shop, ValueError("a"), PermanentFailure("b"), KeyError("c"), id="kitchen.raise", retry=ONCE)
    inbox = shop.inbox()
    for number in (1, 2, 3, 4):
        inbox.receive(placed(number), 1)
        clock.advance(hours=1)
    dead_letters(shop).discard(PublicationQuery(event_id="event-3"), who="ann", why="a test")
    return inbox


def keys(operations: Operations, query: PublicationQuery) -> list[str]:
    return sorted(record.key or "" for record in operations.find(query))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["1", "2"]),
        ({"listener": "kitchen.raise"}, ["1", "2"]),
        ({"listener": "kitchen.other"}, []),
        ({"event_name": "order.placed"}, ["1", "2"]),
        ({"event_name": "order.cancelled"}, []),
        ({"event_id": "event-2"}, ["2"]),
        ({"event_id": "event-"}, ["1", "2"]),
        ({"event_id": "event%"}, []),
        ({"event_id": "vent-2"}, []),
        ({"key": "1"}, ["1"]),
        ({"error_type": "ValueError"}, ["1"]),
        ({"error_type": "PermanentFailure"}, ["2"]),
        ({"reason": Reason.FAILED}, ["1"]),
        ({"reason": Reason.PERMANENT}, ["2"]),
        ({"reason": Reason.DISCARDED}, ["3"]),
        ({"state": State.COMPLETED}, [""]),
        ({"state": State.RETRYING}, []),
        ({"error_type": "ValueError", "key": "2"}, []),
    ],
)
def test_scenario_24_query_by_each_of_its_parts(
    operations: Operations, filled: Inbox, filters: dict[str, Any], expected: list[str]
) -> None:
    query = PublicationQuery(**filters)

    assert keys(operations, query) == expected
    assert operations.count(query) == len(expected)


def test_scenario_24_query_by_time_takes_the_beginning_and_leaves_the_end(
    operations: Operations, filled: Inbox, clock: FakeClock
) -> None:
    first = clock.microseconds() - 4 * 3_600_000_000
    second = first + 3_600_000_000

    assert keys(operations, PublicationQuery(since=first, until=second)) == ["1"]
    assert keys(operations, PublicationQuery(since=second)) == ["2"]
    assert keys(operations, PublicationQuery(since=second + 1)) == []
    assert keys(operations, PublicationQuery(until=second + 1)) == ["1", "2"]


def test_scenario_24_query_by_the_place_where_the_error_was_raised(operations: Operations, filled: Inbox) -> None:
    [record] = operations.find(PublicationQuery(key="1"))

    assert record.place is not None
    assert "raise_in_turn" in record.place
    assert keys(operations, PublicationQuery(place=record.place)) == ["1", "2"]


def test_newest_dead_letters_come_first_and_no_more_than_asked_for(operations: Operations, filled: Inbox) -> None:
    found = operations.find(PublicationQuery(), limit=1)

    assert [(record.key, record.module, record.error) for record in found] == [
        ("2", "kitchen", "PermanentFailure: b"),
    ]


def test_scenario_24_thousand_dead_letters_of_one_cause_are_one_line(shop: Shop, operations: Operations) -> None:
    trouble = Trouble("ValueError", "ValueError: no dough", "kitchen.py:7 in cook", None)
    dead = Outcome(State.DEAD, Reason.FAILED, 0, 20, 0, trouble)
    for number in range(1000):
        shop.inbox_store.record(Publication("kitchen.cook", placed(number)), dead)
    other = replace(dead, trouble=replace(trouble, place="kitchen.py:9 in bake"))
    shop.inbox_store.record(Publication("kitchen.cook", placed(1000)), other)

    groups = operations.groups(PublicationQuery())

    assert [(group.count, group.place, group.reason, group.example) for group in groups] == [
        (1000, "kitchen.py:7 in cook", "failed", "ValueError: no dough"),
        (1, "kitchen.py:9 in bake", "failed", "ValueError: no dough"),
    ]


def test_group_tells_when_its_first_and_last_died(operations: Operations, shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no"), retry=ONCE, for_ever=True)
    began = clock.microseconds()
    for number in (1, 2):
        shop.inbox().receive(placed(number), 1)
        clock.advance(hours=1)

    [group] = operations.groups(PublicationQuery())

    assert (group.count, group.first_at - began, group.last_at - began) == (2, 0, 3_600_000_000)


def test_scenario_24_redelivered_publication_is_run_at_once_and_completes(
    shop: Shop, operations: Operations, filled: Inbox
) -> None:
    count = operations.redeliver(PublicationQuery(event_id="event-1"), who="ann")

    has_run = filled.run_due()

    assert (count, has_run, sorted(shop.tickets())) == (1, True, [1, 4])
    assert keys(operations, PublicationQuery()) == ["2"]


def test_scenario_24_all_that_match_are_redelivered_and_no_other(
    shop: Shop, operations: Operations, filled: Inbox, clock: FakeClock
) -> None:
    count = operations.redeliver(PublicationQuery(listener="kitchen.raise"), who="ann")

    pass_time(filled, clock)

    assert (count, sorted(shop.tickets())) == (2, [1, 2, 4])
    assert [row.reason for row in shop.publications() if row.state == "dead"] == ["discarded"]


def test_scenario_24_redelivered_publication_has_all_its_runs_again(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    listener = Raising(shop, ValueError("no"), retry=RetryPolicy(max_failures=3, kill_switch=None), for_ever=True)
    inbox = shop.inbox()
    inbox.receive(placed(), 1)
    pass_time(inbox, clock, hours=5)

    operations.redeliver(PublicationQuery(), who="ann")
    pass_time(inbox, clock, hours=5)

    history = dead_letters(shop).attempts("kitchen.raise", "event-1")
    assert (len(listener.runs), shop.states()) == (6, {"kitchen.raise": "dead"})
    assert [tried.outcome for tried in history] == ["failed"] * 3 + ["redelivered"] + ["failed"] * 3
    assert history[3].error == "by ann"


def test_redelivered_publication_has_crashed_never_before(shop: Shop, operations: Operations) -> None:
    crashed = Outcome(State.DEAD, Reason.CRASHED, 0, 5, 3, Trouble("Crash", "Crash", None, None))
    shop.inbox_store.record(Publication("kitchen.cook", placed(7)), crashed)

    operations.redeliver(PublicationQuery(), who="ann")
    claimed = shop.inbox_store.claim(["kitchen.cook"])

    assert claimed is not None
    assert (claimed.failures, claimed.crashes, claimed.is_suspect) == (0, 0, False)


def test_dead_letter_whose_event_is_gone_is_not_redelivered(shop: Shop, operations: Operations, filled: Inbox) -> None:
    with shop.kitchen.write() as connection:
        connection.execute(text("UPDATE bus_inbox SET envelope = NULL WHERE event_id = 'event-1'"))

    assert operations.redeliver(PublicationQuery(), who="ann") == 1


def test_redelivered_twice_runs_once(shop: Shop, operations: Operations, filled: Inbox, clock: FakeClock) -> None:
    counts = [operations.redeliver(PublicationQuery(event_id="event-1"), who="ann") for _ in range(2)]

    pass_time(filled, clock)

    assert (counts, sorted(shop.tickets())) == ([1, 0], [1, 4])


def test_discarded_publication_can_be_asked_for_and_redelivered(
    shop: Shop, operations: Operations, filled: Inbox, clock: FakeClock
) -> None:
    operations.redeliver(PublicationQuery(reason=Reason.DISCARDED), who="bob")

    pass_time(filled, clock)

    assert sorted(shop.tickets()) == [3, 4]
    outcomes = [tried.outcome for tried in dead_letters(shop).attempts("kitchen.raise", "event-3")]
    assert outcomes == ["failed", "discarded", "redelivered"]


def test_only_dead_ones_are_redelivered(shop: Shop, operations: Operations, filled: Inbox) -> None:
    shop.mark(Publication("kitchen.raise", placed(9)))

    counts = [operations.redeliver(PublicationQuery(state=state), who="ann") for state in State]

    assert dict(zip(State, counts, strict=True)) == {State.RETRYING: 0, State.COMPLETED: 0, State.DEAD: 2}
    assert [row.reason for row in shop.publications() if row.event_id == "event-9"] == ["running"]


def test_too_old_dead_letter_is_run_when_an_operator_says_so(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    shop.open_tickets()
    inbox = shop.inbox()
    clock.advance(seconds=RETENTION.total_seconds() + 1)
    inbox.receive(placed(7), 2)

    operations.redeliver(PublicationQuery(reason=Reason.TOO_OLD), who="ann")
    pass_time(inbox, clock)

    assert shop.tickets() == [7]


def test_scenario_24_discarding_keeps_who_and_why_in_the_history(shop: Shop, filled: Inbox) -> None:
    history = dead_letters(shop).attempts("kitchen.raise", "event-3")

    assert [(tried.outcome, tried.error) for tried in history] == [
        ("failed", "KeyError: 'c'"),
        ("discarded", "by ann: a test"),
    ]


def test_discarded_publication_is_not_run_again_by_another_send(shop: Shop, filled: Inbox, clock: FakeClock) -> None:
    filled.receive(placed(3), 2)
    pass_time(filled, clock, hours=5)

    assert shop.tickets() == [4]


def test_retrying_publication_can_be_discarded(shop: Shop, operations: Operations, clock: FakeClock) -> None:
    listener = Raising(shop, ValueError("no"))
    inbox = shop.inbox()
    inbox.receive(placed(), 1)

    count = operations.discard(PublicationQuery(state=State.RETRYING), who="ann", why="enough")
    pass_time(inbox, clock)

    assert (count, listener.runs) == (1, [1])
    assert [(row.state, row.reason) for row in shop.publications()] == [("dead", "discarded")]


def test_publication_that_runs_is_never_discarded(shop: Shop, operations: Operations, clock: FakeClock) -> None:
    shop.open_tickets()
    publication = Publication("kitchen.open_ticket", placed(7))
    shop.mark(publication)

    count = operations.discard(PublicationQuery(state=State.RETRYING), who="ann", why="enough")
    clock.advance(microseconds=LEASE)
    pass_time(shop.inbox(), clock, hours=2)

    assert (count, shop.tickets()) == (0, [7])


def test_completed_publication_is_never_discarded(shop: Shop, operations: Operations, filled: Inbox) -> None:
    assert operations.discard(PublicationQuery(state=State.COMPLETED), who="ann", why="enough") == 0
    assert [row.state for row in shop.publications() if row.event_id == "event-4"] == ["completed"]


def test_dead_letter_keeps_of_its_event_what_its_listener_reads(shop: Shop, filled: Inbox) -> None:
    store = dead_letters(shop)

    assert store.envelope("kitchen.raise", "event-1") == replace(placed(1), data=b'{"order_id":1}')
    assert store.envelope("kitchen.raise", "event-3") == replace(placed(3), data=b'{"order_id":3}')
    assert store.envelope("kitchen.raise", "event-4") is None
    assert store.envelope("kitchen.raise", "event-99") is None


def test_every_publication_of_an_event_is_found_in_any_state(shop: Shop) -> None:
    Raising(shop, ValueError("no"), id="kitchen.b_dead", retry=ONCE)
    Raising(shop, ValueError("no"), id="kitchen.c_retrying", retry=PATIENT)
    Raising(shop, id="kitchen.a_completed")
    for number in (1, 2):
        shop.inbox().receive(placed(number), 1)

    found = dead_letters(shop).of_event("event-1")

    assert [(record.listener_id, record.state) for record in found] == [
        ("kitchen.a_completed", "completed"),
        ("kitchen.b_dead", "dead"),
        ("kitchen.c_retrying", "retrying"),
    ]


def test_looking_takes_no_lock(shop: Shop, operations: Operations, filled: Inbox) -> None:
    store = dead_letters(shop)
    with statements(shop.kitchen) as seen:
        operations.find(PublicationQuery())
        operations.count(PublicationQuery())
        operations.groups(PublicationQuery())
        store.attempts("kitchen.raise", "event-1")
        store.of_event("event-1")
        store.envelope("kitchen.raise", "event-1")

    assert seen == []


def test_dead_letter_is_announced_with_its_reason(shop: Shop) -> None:
    told: list[tuple[str, str, str]] = []

    def tell(_bus: object, *, listener_id: str, event_id: str, reason: str, **_details: object) -> None:
        told.append((listener_id, event_id, reason))

    shop.bus.signals.publication_dead.connect(tell)
    Raising(shop, PermanentFailure("no"))

    shop.inbox().receive(placed(), 1)

    assert told == [("kitchen.raise", "event-1", "permanent")]
