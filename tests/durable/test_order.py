from __future__ import annotations

import pytest

from bus import module_listener
from bus.failpoint import arm
from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.shop import Answer, OpenedTicket, Shop, TicketOpened, WantedDish

MIXED = [7, 3, 9, 1, 8, 2]


def test_b08_events_of_one_transaction_reach_a_module_in_the_order_of_publishing(shop: Shop) -> None:
    shop.open_tickets()
    shop.bus.start()

    shop.place(*MIXED)
    shop.bus.drain()

    assert shop.tickets() == MIXED


def test_b08_events_of_successive_transactions_reach_a_module_in_the_order_of_publishing(shop: Shop) -> None:
    shop.open_tickets()
    shop.bus.start()

    for number in range(60, 0, -1):
        shop.place(number)
    shop.bus.drain()

    assert shop.tickets() == list(range(60, 0, -1))


def test_b08_events_that_listeners_publish_keep_their_order(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.bus.publish(TicketOpened(event.order_id))

    @module_listener("order.note_ticket")
    def note_ticket(event: OpenedTicket) -> None:
        shop.order.session.add(Answer(order_id=event.order_id))

    shop.listen(open_ticket)
    shop.listen(note_ticket, module="order")
    shop.place(*range(60, 0, -1))
    shop.bus.drain()

    assert shop.answers() == list(range(60, 0, -1))


def test_b08_events_published_before_the_start_come_before_those_after_it(shop: Shop) -> None:
    shop.open_tickets()
    shop.place(5, 4)
    shop.bus.start()

    shop.place(3)
    shop.place(2)
    shop.bus.drain()

    assert shop.tickets() == [5, 4, 3, 2]


def test_b08_events_keep_their_order_over_a_restart(database_url: str, clock: FakeClock) -> None:
    first = Shop(database_url, clock=clock, workers=1)
    for number in MIXED:
        first.place(number)
    first.close()

    clock.advance(seconds=1)
    second = Shop(database_url, clock=clock, workers=1)
    second.open_tickets()
    second.place(100, 50)
    second.bus.drain()
    tickets = second.tickets()
    second.close()

    assert tickets == [*MIXED, 100, 50]


def test_b08_events_that_a_killed_process_had_sent_keep_their_order(shop: Shop, clock: FakeClock) -> None:
    belt = Belt(shop)
    belt.relay.sweep()
    for number in MIXED:
        shop.place(number)
    lost_with_the_process = belt.keys()

    clock.advance(hours=1)
    successor = Belt(shop)
    successor.relay.sweep()

    assert successor.keys() == lost_with_the_process == [str(number) for number in MIXED]


@pytest.mark.parametrize("place", ["outbox.before_write", "outbox.after_write", "transaction.before_commit"])
def test_b08_sweep_during_a_commit_lets_no_later_event_overtake(shop: Shop, belt: Belt, place: str) -> None:
    with arm(place, belt.relay.sweep):
        shop.place(1)

    shop.place(2)
    belt.relay.sweep()

    assert belt.keys() == ["1", "2"]


def test_b08_event_that_was_told_to_wait_is_not_overtaken_while_it_commits(shop: Shop) -> None:
    belt = Belt(shop, limit=2)
    belt.settle()
    shop.place(1, 2)

    def make_room() -> None:
        for target, envelope, _ in belt.sent:
            belt.relay.acknowledged(target, envelope)
        belt.settle()

    with arm("transaction.before_commit", make_room):
        shop.place(3)
    shop.place(4)
    belt.settle()

    assert belt.keys() == ["1", "2", "3", "4"]


def test_b08_overflow_lets_no_later_event_overtake(shop: Shop) -> None:
    belt = Belt(shop, limit=2)
    belt.relay.sweep()

    for number in (5, 4, 3, 2, 1):
        shop.place(number)
        belt.acknowledge(len(belt.sent))
    belt.relay.sweep()
    belt.acknowledge(len(belt.sent))
    belt.relay.sweep()

    assert belt.keys() == ["5", "4", "3", "2", "1"]
