"""What this build cannot read is parked with its reason, stops nothing, and is delivered once a build can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text

from bus import Envelope, Module, event, event_view, module_listener, operations_of
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from bus.status import ListenerStatus
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Raising, dead_letters, pass_time
from tests.durable.shop import (
    OrderCancelled,
    Shop,
    Ticket,
    TicketOpened,
    WantedDish,
    Where,
    placed,
)

#: An event of which the kitchen in `shop` has no view.
CANCELLED = replace(placed(5, event_id="cancelled"), type="order.cancelled", data=b'{"order_id":5}')
NEWER = replace(placed(6, event_id="newer"), version=2)
UNREADABLE = replace(placed(8, event_id="unreadable"), data=b'{"order_id":"eight"}')


@event_view("order.cancelled")
@dataclass(frozen=True, slots=True)
class NotWanted:
    order_id: int


@event("order.placed", version=2, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced2:
    order_id: int
    note: str = ""


ORDER_IN_TWO = Module("order", contract=[OrderPlaced2, OrderCancelled])
LATER_KITCHEN = Module("kitchen", contract=[TicketOpened, WantedDish, NotWanted])


@contextmanager
def later_build(where: Where, clock: FakeClock) -> Iterator[Shop]:
    """Return the shop of a build that knows more, on the same files."""
    shop = Shop(where, clock=clock, modules=(ORDER_IN_TWO, LATER_KITCHEN))

    @module_listener("kitchen.drop_ticket", retry=PATIENT)
    def drop_ticket(event: NotWanted) -> None:
        shop.kitchen.session.add(Ticket(order_id=-event.order_id))

    shop.listen(drop_ticket)
    yield shop
    shop.close()


def due_now(reason: Reason = Reason.FAILED) -> Outcome:
    return Outcome(State.RETRYING, reason, due_in=0, failures=0, crashes=0)


def listener_status(shop: Shop, id: str) -> ListenerStatus:
    [found] = [found for module in shop.bus.life.status() for found in module.listeners if found.id == id]
    return found


@pytest.mark.parametrize(
    ("envelope", "listener", "reason"),
    [
        (CANCELLED, "*", "unknown_event"),
        (NEWER, "*", "newer_version"),
        (UNREADABLE, "kitchen.raise", "undecodable"),
    ],
)
def test_scenario_22_unreadable_event_is_parked_with_its_reason_and_the_rest_goes_on(
    shop: Shop, envelope: Envelope, listener: str, reason: str
) -> None:
    Raising(shop)
    inbox = shop.inbox()

    for arriving in (envelope, placed(1)):
        inbox.receive(arriving, 1)

    parked = next(row for row in shop.publications() if row.state != "completed")
    assert (parked.listener, parked.state, parked.reason, parked.failures) == (listener, "retrying", reason, 0)
    assert parked.envelope is not None
    assert shop.tickets() == [1]


@pytest.mark.parametrize("envelope", [CANCELLED, NEWER, UNREADABLE])
def test_parked_event_is_looked_at_again_within_a_minute_and_not_at_once(
    shop: Shop, clock: FakeClock, envelope: Envelope
) -> None:
    Raising(shop)
    shop.inbox().receive(envelope, 1)

    [row] = shop.publications()
    assert 30_000_000 <= row.due_at - clock.microseconds() <= 60_000_000


def test_parked_events_never_become_dead_letters(shop: Shop, clock: FakeClock) -> None:
    Raising(shop)
    inbox = shop.inbox()
    for envelope in (CANCELLED, NEWER, UNREADABLE):
        inbox.receive(envelope, 1)

    pass_time(inbox, clock, hours=100)

    assert {(row.state, row.failures) for row in shop.publications()} == {("retrying", 0)}
    assert dead_letters(shop).attempts("kitchen.raise", "unreadable") == []


def test_event_that_is_sent_again_is_parked_once(shop: Shop) -> None:
    inbox = shop.inbox()

    for sends in (1, 2, 3):
        inbox.receive(CANCELLED, sends)

    assert [(row.listener, row.starts) for row in shop.publications()] == [("*", 0)]


def test_scenario_22_unknown_event_is_delivered_once_to_each_listener_of_a_build_that_knows_it(
    shop: Shop, clock: FakeClock
) -> None:
    shop.inbox().receive(CANCELLED, 1)

    with later_build(shop.where, clock) as later:
        runs: list[int] = []

        @module_listener("kitchen.second")
        def second(event: NotWanted) -> None:
            runs.append(event.order_id)

        later.listen(second)
        for inbox in (later.inbox(), later.inbox()):
            pass_time(inbox, clock)
        states = later.states()

    assert (shop.tickets(), runs) == ([-5], [5])
    assert states == {"kitchen.drop_ticket": "completed", "kitchen.second": "completed"}


def test_scenario_22_newer_version_is_delivered_by_a_build_that_has_it(shop: Shop, clock: FakeClock) -> None:
    shop.inbox().receive(NEWER, 1)

    with later_build(shop.where, clock) as later:
        listener = Raising(later)
        pass_time(later.inbox(), clock)

    assert listener.runs == [6]


def test_scenario_22_undecodable_payload_is_delivered_once_the_view_can_read_it(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    inbox = shop.inbox()
    inbox.receive(UNREADABLE, 1)
    with shop.kitchen.write() as connection:
        data = connection.execute(text("SELECT envelope FROM bus_inbox")).scalar_one()
        mended = data.replace(b'"eight"', b"8      ")
        connection.execute(text("UPDATE bus_inbox SET envelope = :data"), {"data": mended})

    pass_time(inbox, clock)

    assert (listener.runs, shop.states()) == ([8], {"kitchen.raise": "completed"})


def test_two_processes_that_take_up_one_parked_event_run_each_listener_once(shop: Shop, clock: FakeClock) -> None:
    shop.inbox().receive(CANCELLED, 1)
    clock.advance(hours=1)

    with later_build(shop.where, clock) as later:
        store, versions = later.inbox_store, {"order.cancelled": 1}
        first, second = store.claim_parked(versions, 0), store.claim_parked(versions, 0)
        assert first is not None
        assert second is not None
        store.unpark(first, ["kitchen.drop_ticket"])
        later.inbox().run_due()
        store.unpark(second, ["kitchen.drop_ticket"])
        pass_time(later.inbox(), clock)

    assert shop.tickets() == [-5]


def test_events_of_a_still_newer_version_do_not_keep_known_ones_from_being_taken_up(
    shop: Shop, clock: FakeClock
) -> None:
    listener, inbox = Raising(shop), shop.inbox()
    for number in range(150):
        inbox.receive(replace(NEWER, id=f"newer-{number:03}"), 1)
    clock.advance(minutes=1)
    shop.inbox_store.record(Publication("*", placed(7)), due_now(Reason.UNKNOWN_EVENT))

    while inbox.has_due():
        inbox.run_due()

    assert listener.runs == [7]
    assert len([row for row in shop.publications() if row.reason == "newer_version"]) == 150


def test_put_off_event_of_a_newer_version_is_due_a_while_later(shop: Shop, clock: FakeClock) -> None:
    inbox = shop.inbox()
    inbox.receive(NEWER, 1)
    clock.advance(minutes=2)

    assert inbox.has_due()
    inbox.run_due()

    assert not inbox.has_due()
    assert [row.due_at > clock.microseconds() for row in shop.publications()] == [True]


def test_retry_that_a_newer_build_has_recorded_is_parked_and_not_misread(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop)
    shop.mark(Publication("kitchen.raise", NEWER))
    shop.inbox_store.record(Publication("kitchen.raise", NEWER, starts=1), due_now())

    found = shop.inbox().run_due()

    assert found
    assert listener.runs == []
    assert [(row.state, row.reason) for row in shop.publications()] == [("retrying", "newer_version")]


def test_publication_of_an_event_that_its_listener_hears_no_more_is_parked(shop: Shop) -> None:
    with later_build(shop.where, FakeClock()) as later:
        later.mark(Publication("kitchen.drop_ticket", placed()))
        later.inbox_store.record(Publication("kitchen.drop_ticket", placed(), starts=1), due_now())

        later.inbox().run_due()

    [row] = shop.publications()
    assert (row.state, row.reason, row.failures) == ("retrying", "undecodable", 0)
    assert row.error == "PayloadError: listener 'kitchen.drop_ticket' does not hear 'order.placed' any more"


def test_scenario_23_publications_of_a_removed_listener_are_orphans_and_run_when_it_is_back(
    shop: Shop, clock: FakeClock
) -> None:
    Raising(shop, ValueError("no dough"))
    shop.inbox().receive(placed(7), 1)
    without = Shop(shop.where, clock=clock)
    pass_time(without.inbox(), clock, hours=1000)
    orphan = listener_status(without, "kitchen.raise")
    without.close()
    pass_time(shop.inbox(), clock)

    assert (orphan.known, orphan.open, orphan.is_degraded) == (False, 1, True)
    assert (shop.tickets(), shop.states()) == ([7], {"kitchen.raise": "completed"})


def test_scenario_23_renamed_function_keeps_its_publications_by_its_id(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no dough"), id="kitchen.open_ticket")
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    shop.bus.unsubscribe("kitchen.open_ticket")

    shop.open_tickets()
    pass_time(inbox, clock)

    assert (shop.tickets(), shop.states()) == ([7], {"kitchen.open_ticket": "completed"})


def test_orphan_whose_process_died_can_be_discarded_once_its_lease_is_over(shop: Shop, clock: FakeClock) -> None:
    shop.mark(Publication("kitchen.gone", placed()))
    of_gone = PublicationQuery(state=State.RETRYING, listener="kitchen.gone")

    at_once = dead_letters(shop).discard(of_gone, who="ann", why="no such listener")
    clock.advance(minutes=1)
    later = dead_letters(shop).discard(of_gone, who="ann", why="no such listener")

    assert (at_once, later) == (0, 1)


def test_parked_event_can_be_discarded_and_redelivered(shop: Shop, clock: FakeClock) -> None:
    shop.inbox().receive(CANCELLED, 1)
    operations = operations_of(shop.bus)

    discarded = operations.discard(PublicationQuery(state=State.RETRYING, listener="*"), who="ann", why="old")
    redelivered = operations.redeliver(PublicationQuery(reason=Reason.DISCARDED), who="bob")
    with later_build(shop.where, clock) as later:
        pass_time(later.inbox(), clock)

    assert (discarded, redelivered, shop.tickets()) == (1, 1, [-5])


def test_parked_event_is_announced_once_with_its_reason(shop: Shop, clock: FakeClock) -> None:
    told: list[tuple[str, str]] = []

    def tell(_bus: object, *, listener_id: str, reason: str, **_details: object) -> None:
        told.append((listener_id, reason))

    shop.bus.signals.publication_parked.connect(tell)
    inbox = shop.inbox()
    inbox.receive(CANCELLED, 1)
    inbox.receive(CANCELLED, 2)

    assert told == [("*", "unknown_event")]
    assert listener_status(shop, "*").parked == 1
