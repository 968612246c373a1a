"""How much is on its way, who waits, and in what order fresh envelopes follow older ones."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bus.clock import to_microseconds
from bus.failpoint import FailpointError, arm
from bus.outbox.flow import LIMIT
from bus.outbox.sqlalchemy import FIRST_INTERVAL
from bus.testing import FakeClock, RecordingTransport
from tests.durable.belt import Belt
from tests.durable.faults import refuse
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop


def test_at_most_a_thousand_envelopes_are_on_their_way_to_a_module(shop: Shop) -> None:
    shop.place(*range(LIMIT + 10))

    belt = Belt(shop)
    belt.relay.sweep()
    belt.relay.sweep()

    assert len(belt.sent) == LIMIT
    assert sum(row.sends == 0 for row in shop.owed()) == 10


def test_waiting_envelopes_set_out_as_places_become_free(shop: Shop) -> None:
    shop.place(1, 2, 3, 4, 5)
    belt = Belt(shop, limit=3)
    belt.relay.sweep()

    belt.acknowledge(2)
    belt.relay.sweep()

    assert belt.keys() == ["1", "2", "3", "4", "5"]


def test_fresh_envelopes_queue_up_behind_those_that_wait(shop: Shop) -> None:
    shop.place(1, 2, 3)
    belt = Belt(shop, limit=2)
    belt.relay.sweep()
    belt.acknowledge(2)

    shop.place(4)
    sent_before_the_sweep = belt.keys()
    belt.settle()

    assert sent_before_the_sweep == ["1", "2"]
    assert belt.keys() == ["1", "2", "3", "4"]


def test_fresh_envelopes_beyond_the_places_wait_in_the_outbox(shop: Shop) -> None:
    belt = Belt(shop, limit=2)
    belt.relay.sweep()

    shop.place(1, 2)
    shop.place(3)

    assert belt.keys() == ["1", "2"]
    assert [row.sends for row in shop.owed()] == [1, 1, 0]
    assert belt.wakes == 1


def test_fresh_envelopes_are_handed_over_again_once_the_backlog_is_gone(shop: Shop, belt: Belt) -> None:
    shop.place(1)
    belt.relay.sweep()

    shop.place(2)

    assert belt.keys() == ["1", "2"]


def test_full_module_delays_no_other(database_url: str) -> None:
    shop = Shop(database_url, modules=(ORDER, KITCHEN, BILL))
    shop.place(1, 2)
    belt = Belt(shop, limit=2)
    belt.relay.sweep()
    bills = [(target, envelope) for target, envelope, _ in belt.sent if target == "bill"]
    for target, envelope in bills:
        belt.relay.acknowledged(target, envelope)
    belt.settle()

    shop.place(3)
    shop.close()

    assert belt.keys("kitchen") == ["1", "2"]
    assert belt.keys("bill") == ["1", "2", "3"]


def test_envelope_that_is_already_on_its_way_is_not_sent_again(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)
    belt = Belt(shop)
    belt.relay.sweep()

    clock.advance(microseconds=FIRST_INTERVAL)
    belt.relay.sweep()

    [row] = shop.owed()
    assert belt.keys() == ["1"]
    assert belt.flow.on_their_way() == 1
    assert (row.sends, row.due_at > to_microseconds(clock.now())) == (1, True)


def test_fresh_envelopes_are_held_behind_older_ones_until_a_sweep_has_found_those(shop: Shop) -> None:
    shop.place(1)
    belt = Belt(shop)
    shop.place(2)
    sent_before_the_sweep = belt.keys()

    belt.settle()

    assert sent_before_the_sweep == []
    assert belt.keys() == ["1", "2"]


@pytest.mark.parametrize(("older", "fresh"), [(0, LIMIT), (0, LIMIT + 1), (1, 800), (1, LIMIT), (LIMIT, LIMIT)])
def test_held_envelopes_never_keep_older_ones_from_setting_out(shop: Shop, older: int, fresh: int) -> None:
    shop.place(*range(older))
    belt = Belt(shop)
    shop.place(*range(older, older + fresh))
    shop.place(9999)

    belt.deliver_all()

    assert len(belt.sent) == older + fresh + 1
    assert shop.owed() == []


def test_failed_hand_over_of_a_held_envelope_leaves_the_row_to_the_sweep(
    shop: Shop, belt: Belt, clock: FakeClock
) -> None:
    shop.place(1)

    with arm("relay.before_hand_over", refuse):
        in_time(belt.settle)
    clock.advance(microseconds=FIRST_INTERVAL)
    belt.relay.sweep()

    assert [(envelope.subject, sends) for _, envelope, sends in belt.sent] == [("1", 2)]


def test_transport_may_acknowledge_a_held_envelope_at_once(database_url: str) -> None:
    shop = Shop(
        database_url, transport=RecordingTransport(), modules=(ORDER, KITCHEN, BILL), hosted=("order", "kitchen")
    )
    shop.bus.start()

    shop.place(*range(20))
    in_time(shop.bus.drain)
    owed = shop.owed()
    shop.close()

    assert owed == []


def test_failed_hand_over_gives_its_place_back(shop: Shop, belt: Belt) -> None:
    belt.relay.sweep()

    with arm("relay.before_hand_over", refuse):
        shop.place(1)

    assert belt.flow.on_their_way() == 0


@pytest.mark.parametrize("place", ["outbox.before_write", "outbox.after_write", "transaction.before_commit"])
def test_transaction_that_fails_gives_its_places_back(shop: Shop, belt: Belt, place: str) -> None:
    belt.relay.sweep()

    with arm(place, refuse), pytest.raises(FailpointError):
        shop.place(1, 2)

    assert belt.flow.on_their_way() == 0
    assert (belt.sent, shop.orders(), shop.owed()) == ([], [], [])


def in_time(action: Callable[[], None]) -> None:
    """Run what might hang for ever, and fail where it does."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
