from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from bus.clock import to_microseconds
from bus.failpoint import arm
from bus.outbox.flow import LIMIT
from bus.outbox.loop import RelayLoop
from bus.outbox.relay import BATCH
from bus.outbox.sqlalchemy import FIRST_INTERVAL, LONGEST_INTERVAL
from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.faults import refuse
from tests.durable.shop import Shop


def test_sweep_sends_what_is_due_oldest_first(shop: Shop) -> None:
    shop.place(3, 1)
    shop.place(2)

    belt = Belt(shop)
    belt.relay.sweep()

    assert belt.keys() == ["3", "1", "2"]
    assert [sends for _, _, sends in belt.sent] == [1, 1, 1]


def test_sweep_takes_the_oldest_where_there_are_more_than_places(shop: Shop) -> None:
    for number in (5, 4, 3):
        shop.place(number)

    belt = Belt(shop, limit=2)
    belt.relay.sweep()

    assert belt.keys() == ["5", "4"]


def test_sent_envelope_carries_what_was_recorded(shop: Shop) -> None:
    shop.place(1)

    belt = Belt(shop)
    belt.relay.sweep()

    [(target, envelope, _)], [row] = belt.sent, shop.history()
    assert (target, envelope.source, envelope.type, envelope.version) == ("kitchen", "order", "order.placed", 1)
    assert (envelope.id, envelope.time, envelope.data) == (row.id, row.time, b'{"order_id":1,"note":""}')
    assert (envelope.correlationid, envelope.causationid) == (row.correlation_id, None)


def test_what_is_not_due_is_not_sent(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)
    Belt(shop).relay.sweep()

    clock.advance(microseconds=FIRST_INTERVAL - 1)
    successor = Belt(shop)
    successor.relay.sweep()

    assert successor.sent == []


def test_what_was_not_acknowledged_is_sent_again_when_it_is_due(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)
    Belt(shop).relay.sweep()

    clock.advance(microseconds=FIRST_INTERVAL)
    successor = Belt(shop)
    successor.relay.sweep()

    assert [(envelope.subject, sends) for _, envelope, sends in successor.sent] == [("1", 2)]


def test_interval_doubles_with_each_send_up_to_an_hour(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)
    intervals = []

    for _ in range(12):
        shop.outboxes["order"].claim("kitchen", 1)
        [row] = shop.owed()
        intervals.append(row.due_at - to_microseconds(clock.now()))
        clock.advance(microseconds=intervals[-1])

    assert intervals == [min(FIRST_INTERVAL << sends, LONGEST_INTERVAL) for sends in range(12)]


def test_interval_of_an_envelope_that_was_handed_over_goes_on_doubling(shop: Shop, clock: FakeClock) -> None:
    belt = Belt(shop)
    belt.relay.sweep()
    shop.place(1)

    clock.advance(microseconds=FIRST_INTERVAL)
    [claimed] = shop.outboxes["order"].claim("kitchen", 1)

    [row] = shop.owed()
    assert claimed.sends == 2
    assert row.due_at - to_microseconds(clock.now()) == 2 * FIRST_INTERVAL


def test_acknowledged_envelope_is_owed_no_longer(shop: Shop, belt: Belt) -> None:
    shop.place(1, 2, 3)
    belt.relay.sweep()

    belt.acknowledge(2)

    assert [row.event_id for row in shop.owed()] == [belt.sent[2][1].id]
    assert len(shop.history()) == 3
    assert belt.flow.on_their_way() == 1


def test_acknowledgements_are_written_in_batches(shop: Shop, belt: Belt) -> None:
    batches: list[None] = []
    shop.place(*range(LIMIT))
    belt.relay.sweep()

    with arm("relay.before_acknowledge", lambda: batches.append(None)):
        belt.acknowledge(LIMIT)

    assert len(batches) == LIMIT // BATCH
    assert shop.owed() == []


def test_acknowledgements_that_come_in_while_the_relay_ends_are_written(shop: Shop, belt: Belt) -> None:
    shop.place(1)
    belt.settle()
    relay = belt.relay.of["order"]
    loop = RelayLoop(relay, look_for_retries=lambda: None)

    loop.end(lambda: None)
    relay.acknowledged("kitchen", belt.sent[0][1].id)
    loop.thread.start()
    loop.thread.join(10)

    assert shop.owed() == []


def test_acknowledgement_of_what_is_gone_is_harmless(shop: Shop, belt: Belt) -> None:
    shop.place(1)
    belt.relay.sweep()

    belt.acknowledge(1)
    belt.acknowledge(1)

    assert shop.owed() == []


def test_acknowledgement_that_the_database_refuses_is_kept(shop: Shop, belt: Belt) -> None:
    shop.place(1)
    belt.relay.sweep()

    with broken_outbox(shop):
        belt.acknowledge(1)
        unwritten = belt.relay.unwritten
    belt.relay.acknowledge()

    assert unwritten == 1
    assert belt.relay.unwritten == 0
    assert shop.owed() == []


def test_refused_acknowledgements_do_not_hold_up_those_of_another_publisher(shop: Shop, belt: Belt) -> None:
    shop.place(*range(BATCH))
    shop.open_ticket(1)
    belt.settle()

    with broken_outbox(shop):
        belt.acknowledge(BATCH + 1)

    assert shop.owed("kitchen") == []
    assert belt.relay.unwritten == BATCH


def test_failed_hand_over_leaves_the_row_to_the_sweep(shop: Shop, belt: Belt, clock: FakeClock) -> None:
    belt.relay.sweep()

    with arm("relay.before_hand_over", refuse):
        shop.place(1)
    clock.advance(microseconds=FIRST_INTERVAL)
    belt.relay.sweep()

    assert shop.orders() == [1]
    assert [(envelope.subject, sends) for _, envelope, sends in belt.sent] == [("1", 2)]


def test_failed_send_of_a_sweep_leaves_the_row_to_a_later_one(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)
    belt = Belt(shop)

    with arm("transport.before_send", refuse):
        belt.relay.sweep()
    on_their_way = belt.flow.on_their_way()
    clock.advance(microseconds=FIRST_INTERVAL)
    belt.relay.sweep()

    assert on_their_way == 0
    assert belt.keys() == ["1"]


def test_broken_outbox_of_one_module_does_not_keep_the_others_waiting(shop: Shop) -> None:
    shop.place(1)
    shop.open_ticket(2)

    belt = Belt(shop)
    with broken_outbox(shop):
        belt.relay.sweep()

    assert belt.keys("order") == ["2"]
    assert belt.keys("kitchen") == []


def test_broken_outbox_of_one_module_does_not_keep_fresh_events_of_the_others_waiting(shop: Shop, belt: Belt) -> None:
    shop.open_ticket(1)

    with broken_outbox(shop):
        belt.settle()
        shop.open_ticket(2)

    assert belt.keys("order") == ["1", "2"]


def test_mended_outbox_is_swept_again(shop: Shop) -> None:
    shop.place(1)
    belt = Belt(shop)
    with broken_outbox(shop):
        belt.relay.sweep()

    belt.relay.sweep()

    assert belt.keys() == ["1"]


@contextmanager
def broken_outbox(shop: Shop) -> Iterator[None]:
    """Have the database of the orders refuse whatever the relay asks of its outbox."""
    _rename(shop, "bus_outbox", "away")
    yield
    _rename(shop, "away", "bus_outbox")


def _rename(shop: Shop, old: str, new: str) -> None:
    with shop.order.write() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
