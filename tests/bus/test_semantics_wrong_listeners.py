"""B05: whatever is wrong with a listener is an error at registration, naming the function and the mend."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from bus import (
    BusError,
    DuplicateNameError,
    EventBus,
    InvalidEventError,
    InvalidListenerError,
    event,
    event_view,
    listener,
    module_listener,
    transactional_listener,
)
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop, TicketOpened

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTypeCheckers


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@event("order.unlisted")
@dataclass(frozen=True)
class Unlisted:
    """Stands in nobody's contract."""


class HasAmount(Protocol):
    amount: int


@listener
def no_annotation(event) -> None: ...  # type: ignore[no-untyped-def]  # the mistake under test


@listener
def no_parameter() -> None: ...


@listener
def two_parameters(event: Payment, clock: object) -> None: ...


@listener
async def asynchronous(event: Payment) -> None: ...


@listener
def generator(event: Payment) -> Iterator[Payment]:
    yield event


@listener
async def asynchronous_generator(event: Payment) -> AsyncIterator[Payment]:
    yield event


@listener
def unresolved_name(event: OnlyForTypeCheckers) -> None: ...


@listener
def unresolved_attribute(event: dataclasses.Missing) -> None: ...  # type: ignore[name-defined]  # the mistake


@listener
def no_class(event: list[int]) -> None: ...


@listener
def anything(event: Any) -> None: ...


@listener
def interface_that_cannot_be_asked(event: HasAmount) -> None: ...


@listener
def by_keyword_only(*, event: Payment) -> None: ...


@listener
def any_keywords(**events: Payment) -> None: ...


def undecorated(event: Payment) -> None: ...


class Till:
    @listener
    def note(self, event: Payment) -> None: ...


class Plain:
    pass


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        (no_annotation, "annotate its parameter, `event: OrderPlaced`"),
        (no_parameter, "annotate a parameter"),
        (two_parameters, "hand its other dependencies to the constructor"),
        (asynchronous, "write `def`"),
        (asynchronous_generator, "write `def`"),
        (generator, "return a list"),
        (unresolved_name, "define the type at the top of its file"),
        (unresolved_attribute, "define the type at the top of its file"),
        (no_class, "annotate the event's class"),
        (anything, "annotate"),
        (interface_that_cannot_be_asked, "runtime_checkable"),
        (by_keyword_only, "by position"),
        (any_keywords, "by position"),
        (undecorated, "put @listener"),
    ],
    ids=lambda found: found.__name__ if callable(found) else "says what to do",
)
def test_b05_function_that_cannot_be_a_listener_is_refused_by_name_and_with_the_mend(
    bus: EventBus, wrong: Callable[..., object], mend: str
) -> None:
    with pytest.raises(InvalidListenerError) as refused:
        bus.subscribe(wrong)

    assert f"{__name__}.{wrong.__name__}" in str(refused.value)
    assert mend in str(refused.value)


def test_b05_class_instead_of_an_instance_is_refused(bus: EventBus) -> None:
    with pytest.raises(InvalidListenerError, match=r"Till is a class; subscribe an instance.*subscribe_provider"):
        bus.subscribe(Till)


def test_b05_object_without_listeners_is_refused(bus: EventBus) -> None:
    with pytest.raises(InvalidListenerError, match=r"Plain object.*has no method with a listener's decorator"):
        bus.subscribe(Plain())


def test_b05_explicit_type_that_is_no_class_is_refused() -> None:
    with pytest.raises(InvalidListenerError, match=r"event types are classes, not 'order\.placed'"):
        listener("order.placed")  # type: ignore[call-overload]  # the mistake under test


def test_b05_refused_object_leaves_none_of_its_listeners_behind(bus: EventBus) -> None:
    heard: list[Payment] = []

    class HalfRight:
        @listener
        def right(self, event: Payment) -> None:
            heard.append(event)

        @listener
        def wrong(self, event: Payment, clock: object) -> None: ...

    with pytest.raises(InvalidListenerError):
        bus.subscribe(HalfRight())

    bus.publish(Payment())
    assert heard == []


@pytest.mark.parametrize("declare", [event("order.paid"), event_view("order.paid")], ids=["event", "view"])
@pytest.mark.parametrize("kind", [object, Till, dict[tuple[str, int], int], Till | None, list[Till]], ids=str)
def test_b05_published_event_that_cannot_be_written_as_json_is_refused(
    declare: Callable[[type], type], kind: object
) -> None:
    cls = dataclasses.make_dataclass("OrderPaid", [("order_id", str), ("till", kind)])

    with pytest.raises(InvalidEventError, match="OrderPaid cannot be written as JSON"):
        declare(cls)


def test_b05_field_that_cannot_be_written_as_json_is_named_with_the_mend() -> None:
    with pytest.raises(InvalidEventError, match=r"the type of OrderPaid\.till is unknown to it; use plain data"):
        event("order.paid")(dataclasses.make_dataclass("OrderPaid", [("till", Till)]))


def test_b05_class_without_fields_to_write_is_no_published_event() -> None:
    with pytest.raises(InvalidEventError, match="Plain cannot be written as JSON: it is no dataclass"):
        event("order.paid")(Plain)


def test_b05_two_module_listeners_with_one_id_are_refused_by_their_names(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def first(event: PlacedOrder) -> None: ...

    @module_listener("kitchen.open_ticket")
    def second(event: PlacedOrder) -> None: ...

    shop.kitchen_bus.subscribe(first)

    with pytest.raises(DuplicateNameError) as refused:
        shop.kitchen_bus.subscribe(second)

    message = str(refused.value)
    assert all(found in message for found in ("'kitchen.open_ticket'", first.__qualname__, second.__qualname__))


def test_b05_two_module_listeners_of_one_class_with_one_id_are_refused(shop: Shop) -> None:
    class News:
        @module_listener("kitchen.open_ticket")
        def first(self, event: PlacedOrder) -> None: ...

        @module_listener("kitchen.open_ticket")
        def second(self, event: PlacedOrder) -> None: ...

    with pytest.raises(DuplicateNameError, match=r"kitchen\.open_ticket"):
        shop.kitchen_bus.subscribe(News())


@pytest.mark.parametrize("id", ["open_ticket", "", None])
def test_b05_module_listener_without_a_stored_id_is_refused_with_the_form(id: Any) -> None:
    with pytest.raises(InvalidListenerError, match=r"'module.reaction'.*@module_listener\(\"kitchen.open_ticket\"\)"):
        module_listener(id)


@pytest.mark.parametrize("decorate", [listener, transactional_listener], ids=["plain", "transactional"])
@pytest.mark.parametrize("foreign", [PlacedOrder, OrderPlaced], ids=["view", "event"])
def test_b05_foreign_event_is_heard_by_module_listeners_only(
    shop: Shop, decorate: Callable[..., Any], foreign: type
) -> None:
    def hear(event: object) -> None: ...

    with pytest.raises(InvalidListenerError) as refused:
        shop.kitchen_bus.subscribe(decorate(foreign)(hear))

    assert hear.__qualname__ in str(refused.value)
    assert "an event of another module" in str(refused.value)
    assert "@module_listener" in str(refused.value)


@pytest.mark.parametrize(
    ("heard", "mend"),
    [
        (Payment, "only published events"),
        (OrderPlaced, '@event_view("order.placed")'),
        (Unlisted, '@event_view("order.unlisted")'),
    ],
    ids=["application event", "another module's class", "in no contract"],
)
def test_b05_module_listener_hears_only_what_its_modules_contract_has(shop: Shop, heard: type, mend: str) -> None:
    def react(event: object) -> None: ...

    react.__annotations__["event"] = heard

    with pytest.raises(InvalidListenerError) as refused:
        shop.kitchen_bus.subscribe(module_listener("kitchen.react")(react))

    assert react.__qualname__ in str(refused.value)
    assert heard.__qualname__ in str(refused.value)
    assert mend in str(refused.value)


def test_b05_module_listener_without_a_module_is_refused_by_name_and_with_the_mend(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: PlacedOrder) -> None: ...

    with pytest.raises(InvalidListenerError) as refused:
        shop.bus.subscribe(open_ticket)

    assert open_ticket.__qualname__ in str(refused.value)
    assert "bus.module(" in str(refused.value)


def test_b05_module_listener_on_two_events_reads_each_as_its_own_type_or_is_refused(shop: Shop) -> None:
    heard: list[type] = []

    @module_listener("kitchen.react")
    def react(event: PlacedOrder | TicketOpened) -> None:
        heard.append(type(event))

    try:
        shop.kitchen_bus.subscribe(react)
    except BusError as refused:
        assert react.__qualname__ in str(refused)  # noqa: PT017 - either answer is right
        return
    with shop.kitchen.transaction():
        shop.kitchen_bus.publish(TicketOpened("1"))
    shop.bus.drain()

    assert heard == [TicketOpened]
