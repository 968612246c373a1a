"""Scenario 37: how much of what is owed is in memory or on its way, and what a module that is away costs the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.failpoint import arm
from bus.outbox.flow import LIMIT, Flow
from bus.outbox.relay import CLAIM
from bus.outbox.sqlalchemy import FIRST_INTERVAL
from bus.testing import FakeClock
from tests.durable.belt import Belt, Tray
from tests.durable.faults import Log
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop, executed


@pytest.fixture
def both(database_url: str, clock: FakeClock) -> Iterator[Shop]:
    """A shop in which two modules listen to the orders."""
    shop = Shop(database_url, clock=clock, modules=(ORDER, KITCHEN, BILL))
    yield shop
    shop.close()


@pytest.fixture
def away() -> Tray:
    """A broker that reaches other processes, and takes nothing for the kitchen."""
    tray = Tray(is_local=False)
    tray.refused.add("kitchen")
    return tray


def test_scenario_37_however_much_is_owed_a_thousand_are_taken_out_of_the_outbox(shop: Shop) -> None:
    shop.place(*range(4 * LIMIT))
    belt = Belt(shop, tray=Tray(is_local=False))

    for _ in range(5):
        belt.relay.sweep()

    assert len(belt.sent) == belt.flow.on_their_way() == LIMIT
    assert sum(row.sends for row in shop.owed()) == LIMIT


def test_scenario_37_module_that_is_refused_is_tried_with_one_envelope_a_sweep(shop: Shop, away: Tray) -> None:
    shop.place(*range(2 * CLAIM))
    belt = Belt(shop, tray=away)

    for _ in range(3):
        belt.relay.sweep()
        belt.relay.turn()

    assert (len(away.tries), belt.flow.on_their_way()) == (3, 0)
    assert sum(row.sends for row in shop.owed()) == 3
    assert len(shop.owed()) == 2 * CLAIM


def test_scenario_37_refusal_is_told_once_and_so_is_its_end(shop: Shop, away: Tray) -> None:
    shop.place(*range(10))
    belt = Belt(shop, tray=away)

    with Log("again") as log:
        for _ in range(3):
            belt.relay.sweep()
        away.refused.clear()
        belt.settle()

    assert [line.split(" ", 2)[2] for line in log.lines] == [
        "cannot be sent to kitchen now; what is owed to it stays in the outbox",
        "be sent to kitchen again",
    ]
    assert len(belt.sent) == 7


def test_scenario_37_transport_that_closes_while_the_bus_stops_is_no_refusal_to_tell(shop: Shop, away: Tray) -> None:
    shop.place(1)
    belt = Belt(shop, tray=away)

    with Log("") as log, arm("transport.before_send", lambda: belt.flow.close(belt.relay.send_fresh)):
        belt.relay.sweep()

    assert (away.tries, log.lines) == (["kitchen"], [])


def test_scenario_37_publisher_tries_no_module_that_was_refused(both: Shop, away: Tray) -> None:
    belt = Belt(both, tray=away)
    belt.relay.sweep()

    both.place(1)
    both.place(2)

    assert away.tries == ["kitchen", "bill", "bill"]
    assert belt.keys("bill") == ["1", "2"]


def test_scenario_37_publisher_of_many_events_tries_a_module_that_refuses_once(shop: Shop, away: Tray) -> None:
    belt = Belt(shop, tray=away)
    belt.settle()

    shop.place(1, 2, 3)

    assert away.tries == ["kitchen"]
    assert belt.flow.on_their_way() == 0


def test_scenario_37_module_that_was_refused_has_one_place_until_it_takes_something() -> None:
    flow = Flow()

    flow.refuse("kitchen")
    places_meanwhile = flow.reserve("kitchen", CLAIM)
    flow.take("kitchen", places_meanwhile, [])
    flow.accept("kitchen")

    assert (places_meanwhile, flow.reserve("kitchen", CLAIM)) == (1, CLAIM)


def test_scenario_37_module_that_is_back_gets_all_that_waited(shop: Shop, away: Tray, clock: FakeClock) -> None:
    belt = Belt(shop, tray=away)
    for number in range(5):
        shop.place(number)
        belt.relay.sweep()

    away.refused.clear()
    clock.advance(microseconds=4 * FIRST_INTERVAL)
    belt.deliver_all()
    shop.place(5)

    assert sorted(belt.keys(), key=str) == ["0", "1", "2", "3", "4", "5"]
    assert [row.sends for row in shop.owed()] == [1]


def test_scenario_37_what_a_broker_has_lost_is_sent_again_though_every_place_is_taken_by_it(
    shop: Shop, clock: FakeClock
) -> None:
    shop.place(*range(10))
    belt = Belt(shop, limit=4, tray=Tray(is_local=False))
    belt.relay.sweep()
    lost = belt.keys()

    clock.advance(microseconds=FIRST_INTERVAL)
    belt.relay.sweep()

    assert len(lost) == 4
    assert belt.keys()[4:] == lost
    assert belt.flow.on_their_way() == 4


def test_places_of_what_another_process_has_heard_of_are_free_with_the_next_sweep(shop: Shop) -> None:
    shop.place(*range(6))
    belt = Belt(shop, limit=4, tray=Tray(is_local=False))
    belt.relay.sweep()
    shop.outboxes["order"].acknowledge([("kitchen", envelope.id) for _, envelope, _ in belt.sent])

    belt.relay.sweep()

    assert belt.keys() == ["0", "1", "2", "3", "4", "5"]
    assert belt.flow.on_their_way() == 2


def test_places_are_free_with_the_next_turn_where_others_wait_for_them(shop: Shop) -> None:
    shop.place(*range(6))
    belt = Belt(shop, limit=4, tray=Tray(is_local=False))
    belt.relay.sweep()
    shop.outboxes["order"].acknowledge([("kitchen", envelope.id) for _, envelope, _ in belt.sent])

    belt.relay.turn()

    assert len(belt.sent) == 6


def test_scenario_37_module_that_never_answers_is_sent_the_same_thousand_at_doubling_intervals(
    shop: Shop, clock: FakeClock
) -> None:
    shop.place(*range(3 * LIMIT))
    belt = Belt(shop, tray=Tray(is_local=False))

    counts = []
    for _ in range(80):
        belt.relay.sweep()
        counts.append(len(belt.sent))
        clock.advance(seconds=1)

    assert [second for second in range(1, 80) if counts[second] > counts[second - 1]] == [10, 30, 70]
    assert len({envelope.id for _, envelope, _ in belt.sent}) == LIMIT


def test_scenario_37_full_module_is_asked_about_by_sweeps_alone(both: Shop) -> None:
    both.place(*range(10))
    belt = Belt(both, limit=4)
    belt.settle()
    with executed(both.order.read_engine) as seen:
        belt.relay.turn()
        asked_by_turns = list(seen)
        belt.relay.sweep()

    assert not belt.flow.is_direct("order")
    assert asked_by_turns == []
    assert seen


def test_scenario_37_module_with_room_again_is_served_by_a_turn(shop: Shop) -> None:
    shop.place(*range(10))
    belt = Belt(shop, limit=4)
    belt.settle()

    belt.acknowledge(2)
    belt.relay.turn()

    assert len(belt.sent) == 6


@pytest.mark.parametrize("first", ["kitchen", "bill"])
def test_scenario_37_module_that_is_away_delays_no_other(both: Shop, first: str) -> None:
    """Whichever of the two the relay comes to first."""
    other = {"kitchen": "bill", "bill": "kitchen"}[first]
    tray = Tray(is_local=False)
    tray.refused.add(first)
    both.place(*range(2 * LIMIT))
    belt = Belt(both, tray=tray)
    belt.relay.sweep()

    assert len(belt.keys(other)) == LIMIT
    assert tray.tries.count(first) == 1
