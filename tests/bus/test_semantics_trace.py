"""S37: correlation, causation and trace ids are there in every kind of listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from queue import Queue
from typing import Any

import pytest
from sqlalchemy import Row, select

from bus import (
    BusError,
    Delivery,
    Envelope,
    EventBus,
    Phase,
    Trace,
    current_delivery,
    current_trace,
    listener,
    module_listener,
    trace_context,
    transactional_listener,
)
from bus.context import caused_by
from bus.tables import bus_event
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop, TicketOpened

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GRANDPARENT = Envelope(
    "0", "order", "order.read", 1, None, 0, "request-7", None, TRACEPARENT, b"{}", ancestry=("order.imported",)
)


@dataclass(frozen=True)
class Payment:
    pass


@pytest.fixture
def shop(shop: Shop) -> Iterator[Shop]:
    yield shop
    shop.bus.close()


def history(shop: Shop, module: str = "order") -> list[Row[Any]]:
    database = shop.order if module == "order" else shop.kitchen
    with database.read() as session:
        return list(session.execute(select(bus_event).order_by(bus_event.c.position)))


def open_ticket(shop: Shop) -> None:
    """Publish the kitchen's event in a unit of work of its own."""
    with shop.kitchen.transaction():
        shop.bus.publish(TicketOpened("1"))


def test_s37_event_without_any_cause_begins_a_story_of_its_own(shop: Shop) -> None:
    shop.place("1", "2")

    for row in history(shop):
        assert (row.correlation_id, row.causation_id, row.traceparent, row.ancestry) == (row.id, None, None, None)


def test_s37_trace_context_is_on_every_event_of_its_block_and_on_none_after_it(shop: Shop) -> None:
    with trace_context("request-7", TRACEPARENT):
        shop.place("1", "2")
    shop.place("3")

    first, second, third = history(shop)
    assert (first.correlation_id, first.causation_id, first.traceparent) == ("request-7", None, TRACEPARENT)
    assert (second.correlation_id, second.traceparent) == ("request-7", TRACEPARENT)
    assert (third.correlation_id, third.traceparent) == (third.id, None)


def test_s37_current_trace_is_what_was_said_and_none_outside() -> None:
    outside = current_trace()
    with trace_context("request-7"):
        inside = current_trace()

    assert (outside, inside, current_trace()) == (None, Trace("request-7", None, None), None)


def test_s37_inner_context_keeps_what_it_is_not_given() -> None:
    with trace_context("request-7"), trace_context(traceparent=TRACEPARENT):
        assert current_trace() == Trace("request-7", None, TRACEPARENT)


def test_s37_context_that_is_given_nothing_says_nothing() -> None:
    with trace_context():
        assert current_trace() is None


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        TRACEPARENT.upper(),
        TRACEPARENT + "\n",
        TRACEPARENT + "-00",
        "01" + TRACEPARENT[2:],
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        TRACEPARENT.replace("4", "g"),
    ],
)
def test_s37_malformed_traceparent_is_refused(traceparent: str) -> None:
    with pytest.raises(BusError, match="is no W3C traceparent"), trace_context(traceparent=traceparent):
        pass


@pytest.mark.parametrize("correlation_id", ["", "x" * 201])
def test_s37_correlation_id_without_a_place_in_the_history_is_refused(correlation_id: str) -> None:
    with pytest.raises(BusError, match="1 to 200 characters"), trace_context(correlation_id):
        pass


def listening(kind: str, react: Callable[[OrderPlaced], None]) -> Callable[[OrderPlaced], None]:
    """Return a listener of each kind that runs for an event of its own module."""

    def hear(event: OrderPlaced) -> None:
        react(event)

    if kind == "plain":
        return listener(hear)
    if kind == "background":
        return listener(background=True)(hear)
    return transactional_listener(phase=Phase[kind])(hear)


@pytest.mark.parametrize("kind", ["plain", "background", "BEFORE_COMMIT", "AFTER_COMMIT", "AFTER_COMPLETION"])
def test_s37_what_a_listener_publishes_names_the_event_as_its_cause(shop: Shop, kind: str) -> None:
    published = Queue[None]()

    def react(event: OrderPlaced) -> None:
        open_ticket(shop)
        published.put(None)

    shop.order_bus.subscribe(listening(kind, react))

    with trace_context("request-7", TRACEPARENT):
        shop.place("1")
    published.get(timeout=10)

    [placed], [opened] = history(shop), history(shop, "kitchen")
    assert (opened.correlation_id, opened.causation_id) == ("request-7", placed.id)
    assert (opened.traceparent, opened.ancestry) == (TRACEPARENT, "order.placed")


def test_s37_after_rollback_listener_names_the_event_too(shop: Shop) -> None:
    shop.order_bus.subscribe(listening("AFTER_ROLLBACK", lambda _event: open_ticket(shop)))

    with pytest.raises(ValueError, match="no dough"), trace_context("request-7"), shop.order.transaction():
        shop.bus.publish(OrderPlaced("1"))
        raise ValueError("no dough")

    [opened] = history(shop, "kitchen")
    assert (opened.correlation_id, opened.ancestry) == ("request-7", "order.placed")


def test_s37_nested_event_in_the_same_unit_names_it_and_the_next_one_does_not(shop: Shop) -> None:
    @listener
    def again(event: OrderPlaced) -> OrderPlaced | None:
        return OrderPlaced("reply") if event.order_id == "1" else None

    shop.order_bus.subscribe(again)

    shop.place("1", "2")

    first, reply, second = history(shop)
    assert (reply.causation_id, reply.correlation_id, reply.ancestry) == (first.id, first.id, "order.placed")
    assert (second.causation_id, second.correlation_id, second.ancestry) == (None, second.id, None)


def test_s37_application_event_in_between_passes_the_cause_on(shop: Shop) -> None:
    @listener
    def pay(event: OrderPlaced) -> Payment:
        return Payment()

    @transactional_listener
    def note_ticket(event: Payment) -> None:
        open_ticket(shop)

    shop.order_bus.subscribe(pay)
    shop.order_bus.subscribe(note_ticket)

    shop.place("1")

    [placed], [opened] = history(shop), history(shop, "kitchen")
    assert (opened.causation_id, opened.ancestry) == (placed.id, "order.placed")


def test_s37_receiver_of_a_signal_is_within_the_cause(shop: Shop) -> None:
    seen: list[Trace | None] = []

    def receive(sender: EventBus, event: OrderPlaced) -> None:
        seen.append(current_trace())

    with shop.bus.signal(OrderPlaced).connected_to(receive):
        shop.place("1")

    [placed] = history(shop)
    assert seen == [Trace(placed.id, placed.id, None)]


def test_s37_listener_that_fails_leaves_no_cause_behind(shop: Shop) -> None:
    @listener
    def refuse(event: OrderPlaced) -> None:
        raise ValueError("no dough")

    shop.order_bus.subscribe(refuse)

    with pytest.raises(ValueError, match="no dough"):
        shop.place("1")

    assert current_trace() is None


def test_s37_module_listener_has_the_ids_and_what_it_publishes_has_them_too(shop: Shop) -> None:
    deliveries: list[tuple[Delivery | None, Trace | None]] = []

    @module_listener("kitchen.open_ticket")
    def open_a_ticket(event: PlacedOrder) -> None:
        deliveries.append((current_delivery(), current_trace()))
        shop.bus.publish(TicketOpened(event.order_id))

    shop.kitchen_bus.subscribe(open_a_ticket)

    with trace_context("request-7", TRACEPARENT):
        shop.place("1")
    shop.bus.drain()

    [placed], [opened] = history(shop), history(shop, "kitchen")
    [(delivery, trace)] = deliveries
    assert delivery is not None
    assert (delivery.correlation_id, delivery.causation_id, delivery.traceparent) == ("request-7", None, TRACEPARENT)
    assert trace == Trace("request-7", placed.id, TRACEPARENT)
    assert (opened.correlation_id, opened.causation_id) == ("request-7", placed.id)
    assert (opened.traceparent, opened.ancestry) == (TRACEPARENT, "order.placed")


def test_s37_ancestry_survives_the_outbox(shop: Shop) -> None:
    ancestries: list[tuple[str, ...]] = []

    @listener
    def again(event: OrderPlaced) -> OrderPlaced | None:
        return OrderPlaced("reply") if event.order_id == "1" else None

    @module_listener("kitchen.note")
    def note(event: PlacedOrder) -> None:
        delivery = current_delivery()
        ancestries.append(delivery.envelope.ancestry if delivery else ("no delivery",))

    shop.order_bus.subscribe(again)
    shop.kitchen_bus.subscribe(note)
    shop.place("1")

    # Nothing ran when they were committed: they are read from the outbox.
    shop.bus.drain()

    assert ancestries == [(), ("order.placed",)]


def test_s37_retry_has_the_same_ids_and_ancestry(shop: Shop) -> None:
    deliveries: list[Delivery | None] = []

    @module_listener("kitchen.fail_once")
    def fail_once(event: PlacedOrder) -> None:
        deliveries.append(current_delivery())
        if len(deliveries) == 1:
            raise ValueError("no dough")

    shop.kitchen_bus.subscribe(fail_once)
    with trace_context("request-7", TRACEPARENT), caused_by(GRANDPARENT):
        shop.place("1")
    shop.bus.drain()

    first, second = deliveries
    assert first is not None
    assert second is not None
    # The inbox has kept what the listener reads of it.
    assert second.envelope == replace(first.envelope, data=b'{"order_id":"1"}')
    assert second.envelope.ancestry == ("order.imported", "order.read")
    assert second.attempt == 2


def test_s37_background_listener_in_a_delivery_knows_it(shop: Shop) -> None:
    seen = Queue[tuple[Delivery | None, Trace | None]]()

    @listener(background=True)
    def note(event: TicketOpened) -> None:
        seen.put((current_delivery(), current_trace()))

    @module_listener("kitchen.open_ticket")
    def open_a_ticket(event: PlacedOrder) -> None:
        shop.bus.publish(TicketOpened(event.order_id))

    shop.kitchen_bus.subscribe(note)
    shop.kitchen_bus.subscribe(open_a_ticket)
    shop.place("1")
    shop.bus.drain()

    delivery, trace = seen.get(timeout=10)
    [placed], [opened] = history(shop), history(shop, "kitchen")
    assert delivery is not None
    assert delivery.event_id == placed.id
    assert trace == Trace(placed.id, opened.id, None)


def test_s37_background_listener_without_a_published_event_has_the_context_of_its_publisher(shop: Shop) -> None:
    seen = Queue[Trace | None]()

    @listener(background=True)
    def note(event: Payment) -> None:
        seen.put(current_trace())

    shop.bus.subscribe(note)

    with trace_context("request-7"):
        shop.bus.publish(Payment())

    assert seen.get(timeout=10) == Trace("request-7", None, None)
