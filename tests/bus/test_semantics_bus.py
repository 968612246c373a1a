"""B01-B04: the compiled listeners, blinker's signals, strong references, and two buses."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Queue

import pytest

from bus import (
    Envelope,
    EventBus,
    listener,
    module_listener,
)
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop


class Counting(type):
    """Counts how often the bus asks whether an event is one of its instances."""

    asked: list[type]

    def __subclasscheck__(cls, subclass: type) -> bool:
        cls.asked.append(subclass)
        return super().__subclasscheck__(subclass)


class Watched(metaclass=Counting):
    asked: list[type] = []  # noqa: RUF012 - emptied for each test


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class CardPayment(Payment):
    pass


class SoldOutError(Exception):
    pass


@pytest.fixture
def asked(bus: EventBus) -> Iterator[list[type]]:
    """Register a listener that notes each time the bus matches it with a type; return the notes."""

    @listener
    def hear(event: Watched) -> None: ...

    bus.subscribe(hear)
    Watched.asked.clear()
    yield Watched.asked
    Watched.asked.clear()


def test_b01_listeners_are_resolved_once_for_each_concrete_type(bus: EventBus, asked: list[type]) -> None:
    for payment in (Payment(1), Payment(2), CardPayment(), Payment(3), CardPayment()):
        bus.publish(payment)

    assert asked == [Payment, CardPayment]


def test_b01_listeners_are_resolved_again_after_subscribe_and_unsubscribe(bus: EventBus, asked: list[type]) -> None:
    @listener(id="one more")
    def one_more(event: Payment) -> None: ...

    bus.publish(Payment())
    bus.subscribe(one_more)
    bus.publish(Payment())
    bus.publish(Payment())
    after_subscribe = len(asked)
    bus.unsubscribe("one more")
    bus.publish(Payment())
    bus.publish(Payment())

    assert after_subscribe == 2
    assert len(asked) == 3


def test_b01_listeners_are_resolved_again_after_connect_and_disconnect(bus: EventBus, asked: list[type]) -> None:
    def receive(sender: EventBus, event: Payment) -> None: ...

    signal = bus.signal(Payment)
    bus.publish(Payment())
    signal.connect(receive)
    bus.publish(Payment())
    bus.publish(Payment())
    after_connect = len(asked)
    signal.disconnect(receive)
    bus.publish(Payment())
    bus.publish(Payment())

    assert after_connect == 2
    assert len(asked) == 3


def test_b02_receiver_of_an_event_types_signal_gets_the_bus_and_the_event(bus: EventBus) -> None:
    received: list[tuple[EventBus, Payment]] = []

    def receive(sender: EventBus, event: Payment) -> None:
        received.append((sender, event))

    bus.publish(Payment(1))
    bus.signal(Payment).connect(receive)
    bus.publish(Payment(2))
    bus.signal(Payment).disconnect(receive)
    bus.publish(Payment(3))

    assert received == [(bus, Payment(2))]


def test_b02_receivers_of_a_base_class_get_subclasses_and_run_after_the_listeners(bus: EventBus) -> None:
    heard: list[str] = []

    def receive(sender: EventBus, event: Payment) -> None:
        heard.append("receiver")

    @listener
    def hear(event: CardPayment) -> None:
        heard.append("listener")

    bus.signal(Payment).connect(receive)
    bus.subscribe(hear)

    bus.publish(CardPayment())

    assert heard == ["listener", "receiver"]


def test_b02_receiver_is_connected_for_the_length_of_a_block(bus: EventBus) -> None:
    received: list[Payment] = []

    with bus.signal(Payment).connected_to(lambda _sender, event: received.append(event)):
        bus.publish(Payment(1))
    bus.publish(Payment(2))

    assert received == [Payment(1)]


def test_b02_receiver_is_held_weakly(bus: EventBus) -> None:
    received: list[Payment] = []

    def connect() -> None:
        def receive(sender: EventBus, event: Payment) -> None:
            received.append(event)

        bus.signal(Payment).connect(receive)

    connect()
    gc.collect()

    bus.publish(Payment())

    assert received == []


def test_b02_bus_announces_committed_published_events(shop: Shop) -> None:
    announced: list[tuple[object, str, str | None]] = []

    def receive(sender: object, envelope: Envelope) -> None:
        announced.append((sender, envelope.type, envelope.subject))

    shop.bus.signals.published.connect(receive)

    shop.place("1")
    with pytest.raises(SoldOutError), shop.order.transaction():
        shop.order_bus.publish(OrderPlaced("2"))
        raise SoldOutError

    assert announced == [(shop.bus, "order.placed", "1")]


def test_b02_bus_announces_a_failed_module_listener(shop: Shop) -> None:
    failure = SoldOutError("no ramen")
    announced: Queue[tuple[object, str, BaseException]] = Queue()

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: PlacedOrder) -> None:
        raise failure

    def receive(sender: object, listener_id: str, error: BaseException, **_details: object) -> None:
        announced.put((sender, listener_id, error))

    shop.kitchen_bus.subscribe(open_ticket)
    shop.bus.signals.listener_failed.connect(receive)
    shop.bus.start()

    shop.place("1")

    assert announced.get(timeout=30) == (shop.bus, "kitchen.open_ticket", failure)


def test_b03_listener_that_nobody_else_holds_is_called(bus: EventBus) -> None:
    heard: list[Payment] = []

    def register() -> None:
        @listener
        def hear(event: Payment) -> None:
            heard.append(event)

        bus.subscribe(hear)

    register()
    gc.collect()

    bus.publish(Payment())

    assert heard == [Payment()]


def test_b04_two_buses_know_nothing_of_each_other(bus: EventBus) -> None:
    heard: list[str] = []
    other = EventBus()

    @listener
    def hear(event: Payment) -> None:
        heard.append("listener")

    def receive(sender: EventBus, event: Payment) -> None:
        heard.append("receiver")

    bus.subscribe(hear)
    bus.signal(Payment).connect(receive)

    other.publish(Payment())
    removed = other.unsubscribe(lambda _: True)

    assert (heard, removed) == ([], 0)
