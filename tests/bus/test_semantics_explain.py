"""B10: who listens, how and in what order, and who does not and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from bus import (
    AbsentListener,
    Database,
    EventBus,
    Module,
    Phase,
    assemble,
    listener,
    module_listener,
    transactional_listener,
)
from bus.testing import RecordingTransport
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop, TicketOpened, orders_metadata

T = TypeVar("T")


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class CardPayment(Payment):
    pass


class Created(Generic[T]):
    pass


class NumberCreated(Created[int]):
    pass


@listener(id="till.note", order=2)
def note(event: Payment) -> None: ...


@listener(id="till.card")
def card(event: CardPayment) -> None: ...


@listener(id="till.large", condition=lambda event: event.amount > 10)
def large(event: Payment) -> None: ...


@listener(id="till.broken", condition=lambda event: event.amount / 0 > 1)
def broken(event: Payment) -> None: ...


@listener(id="till.slow", background=True)
def slow(event: Payment) -> None: ...


@transactional_listener(id="till.late", phase=Phase.AFTER_COMMIT, order=1)
def late(event: Payment) -> None: ...


def subscribed(bus: EventBus, *found: object) -> EventBus:
    for each in found:
        bus.subscribe(each)
    return bus


def test_b10_explanation_says_who_listens_how_and_in_what_order(bus: EventBus) -> None:
    subscribed(bus, slow, note, late, large)

    assert str(bus.explain(Payment)).splitlines() == [
        f"{__name__}.Payment",
        "  1. till.late: after commit of the publisher's transaction, order 1",
        "  2. till.note: at once, in the publisher's transaction, order 2",
        "  3. till.slow: at once, in the background, in no transaction",
        "  4. till.large: at once, in the publisher's transaction, if its condition holds",
    ]
    assert [found.background for found in bus.explain(Payment).listeners] == [False, False, True, False]


def test_b10_nobody_listens_in_this_process(bus: EventBus) -> None:
    assert str(bus.explain(Payment)).splitlines()[1:] == ["  nobody listens in this process"]


def test_b10_listener_on_a_subclass_is_absent(bus: EventBus) -> None:
    subscribed(bus, card)

    assert bus.explain(Payment).absent == (AbsentListener("till.card", "it listens to the subclass CardPayment only"),)
    assert bus.explain(CardPayment).absent == ()


def test_b10_listener_to_something_else_is_not_mentioned(bus: EventBus) -> None:
    subscribed(bus, note)

    assert bus.explain(str).absent == bus.explain(NumberCreated).absent == ()


def test_b10_listener_on_another_binding_is_absent(bus: EventBus) -> None:
    @listener(id="text.created")
    def created(event: Created[str]) -> None: ...

    subscribed(bus, created)

    assert bus.explain(NumberCreated).absent == (
        AbsentListener("text.created", "it listens to Created[str], and this is Created[int]"),
    )


def test_b10_listener_of_a_base_class_in_another_module_is_absent(shop: Shop) -> None:
    @listener(id="kitchen.everything")
    def everything(event: object) -> None: ...

    shop.kitchen_bus.subscribe(everything)

    assert (
        AbsentListener(
            "kitchen.everything",
            "it belongs to kitchen, and what another module publishes is heard by its module listeners only",
        )
        in shop.bus.explain(OrderPlaced).absent
    )
    assert [found.id for found in shop.bus.explain(TicketOpened).listeners] == ["kitchen.everything"]


def test_b10_hosted_module_with_a_view_and_no_listener_is_absent(shop: Shop) -> None:
    assert shop.bus.explain("order.placed").absent == (
        AbsentListener("kitchen", "has a view of it, and no listener in this process"),
    )


def test_b10_module_with_a_view_that_is_hosted_elsewhere_is_absent(tmp_path: Path) -> None:
    modules = [Module("order", contract=[OrderPlaced]), Module("kitchen", contract=[PlacedOrder, TicketOpened])]
    database = Database("order", f"sqlite:///{tmp_path}/order.db", metadata=orders_metadata)
    bus = assemble(modules, {"order": database}, transport=RecordingTransport())

    assert bus.explain("order.placed").absent == (
        AbsentListener("kitchen", "has a view of it, and is not hosted in this process"),
    )


def test_b10_module_that_listens_is_not_absent(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: PlacedOrder) -> None: ...

    shop.kitchen_bus.subscribe(open_ticket)

    found = shop.bus.explain("order.placed")

    assert [each.id for each in found.listeners] == ["kitchen.open_ticket"]
    assert found.absent == ()


@pytest.mark.parametrize("asked", ["order.placed", OrderPlaced, OrderPlaced("1"), PlacedOrder, PlacedOrder("1")])
def test_b10_name_class_event_and_view_ask_about_the_same_event(shop: Shop, asked: object) -> None:
    found = shop.bus.explain(asked)

    assert (found.event, found.module, found.version, found.subscribed) == ("order.placed", "order", 1, ("kitchen",))


def test_b10_unknown_name_is_told_what_there_is(shop: Shop) -> None:
    with pytest.raises(LookupError, match=r"'order.plaecd'; there are kitchen.ticket_opened, order.placed"):
        shop.bus.explain("order.plaecd")


def test_b10_condition_that_is_false_for_this_event_makes_its_listener_absent(bus: EventBus) -> None:
    subscribed(bus, large, note)

    small, rich = bus.explain(Payment(1)), bus.explain(Payment(11))

    assert [found.id for found in small.listeners] == ["till.note"]
    assert small.absent == (AbsentListener("till.large", "its condition answers false for this event"),)
    assert [found.id for found in rich.listeners] == ["till.note", "till.large"]
    assert rich.absent == ()


def test_b10_condition_that_raises_for_this_event_is_told(bus: EventBus) -> None:
    subscribed(bus, broken)

    assert bus.explain(Payment()).absent == (
        AbsentListener("till.broken", "its condition raises ZeroDivisionError for this event: division by zero"),
    )


def test_b10_explaining_calls_nobody(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener
    def hear(event: Payment) -> None:
        heard.append(event)

    subscribed(bus, hear).explain(Payment())

    assert heard == []


def test_b10_absent_ones_stand_below_the_listeners(bus: EventBus) -> None:
    subscribed(bus, card, note)

    assert str(bus.explain(Payment)).splitlines()[2:] == ["  - till.card: it listens to the subclass CardPayment only"]
