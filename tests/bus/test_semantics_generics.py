"""S34: listeners to a generic class with its parameter bound."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import pytest

from bus import EventBus, InvalidListenerError, listener, module_listener, transactional_listener
from tests.bus.shop import Shop

T = TypeVar("T")
U = TypeVar("U")
U_co = TypeVar("U_co", covariant=True)


class Order:
    pass


class LargeOrder(Order):
    pass


class Dish:
    pass


@dataclass(frozen=True)
class Created(Generic[T]):
    thing: T


class OrderCreated(Created[Order]):
    pass


class LargeOrderCreated(Created[LargeOrder]):
    pass


class DishCreated(Created[Dish]):
    pass


class UrgentOrderCreated(OrderCreated):
    pass


class Imported(Created[T]):
    """Leaves the parameter open."""


class OrderImported(Imported[Order]):
    pass


class AnythingCreated(Created[Any]):
    pass


class Batch(Created[list[U]], Generic[U]):
    pass


class OrderBatch(Batch[Order]):
    pass


class DishBatch(Batch[Dish]):
    pass


class Swapped(Created[U], Generic[T, U]):
    """Its second parameter is the base's first."""


class DishThenOrder(Swapped[Dish, Order]):
    pass


class CreatedByName(Created["Order"]):
    pass


class CreatedByUnknownName(Created["DefinedLater"]):  # type: ignore[name-defined]
    pass


class BareCreated(Created):  # type: ignore[type-arg]  # the case under test
    pass


class Mixin:
    pass


class MixedIn(Mixin, OrderCreated):
    pass


@runtime_checkable
class Priced(Protocol[U_co]):
    def price(self) -> U_co: ...


class PricedOrder(Priced[int]):
    def price(self) -> int:
        return 1


class PricedAlike:
    def price(self) -> str:
        return "one"


def hears(bus: EventBus, heard_type: type, event: object) -> bool:
    """Say whether a listener to the type hears the event."""
    heard: list[object] = []

    @listener(heard_type)
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)
    bus.publish(event)
    return heard == [event]


@pytest.mark.parametrize(
    "cls", [OrderCreated, UrgentOrderCreated, OrderImported, DishThenOrder, CreatedByName, MixedIn], ids=repr
)
def test_s34_class_that_binds_the_parameter_so_is_heard(bus: EventBus, cls: Callable[[Order], object]) -> None:
    assert hears(bus, Created[Order], cls(Order()))


@pytest.mark.parametrize("cls", [DishCreated, LargeOrderCreated, OrderBatch], ids=repr)
def test_s34_class_that_binds_it_otherwise_is_not_heard_not_even_to_a_subclass(
    bus: EventBus, cls: Callable[[object], object]
) -> None:
    assert not hears(bus, Created[Order], cls(LargeOrder()))


def test_s34_binding_to_the_base_is_not_heard_by_a_listener_to_the_subclass(bus: EventBus) -> None:
    assert not hears(bus, Created[LargeOrder], OrderCreated(LargeOrder()))


@pytest.mark.parametrize("cls", [Created, Imported, AnythingCreated, BareCreated, CreatedByUnknownName], ids=repr)
@pytest.mark.parametrize("heard", [Created[Order], Created[Dish]], ids=repr)
def test_s34_open_instance_is_heard_whatever_the_listener_binds(
    bus: EventBus, cls: Callable[[Order], object], heard: type
) -> None:
    assert hears(bus, heard, cls(Order()))


def test_s34_instance_of_a_binding_made_in_place_is_not_told_apart(bus: EventBus) -> None:
    assert hears(bus, Created[Dish], Created[Order](Order()))


@pytest.mark.parametrize("heard", [Created, Created[Any], Created[T], object], ids=repr)  # type: ignore[valid-type]
def test_s34_listener_that_binds_nothing_hears_every_binding(bus: EventBus, heard: type) -> None:
    assert hears(bus, heard, OrderCreated(Order()))
    assert hears(bus, heard, DishCreated(Dish()))


@pytest.mark.parametrize(
    ("heard", "is_heard"),
    [
        (Created[list[Order]], True),
        (Created[list[Dish]], False),
        (Created[list[Any]], True),
        (Batch[Order], True),
        (Batch[Dish], False),
    ],
    ids=repr,
)
def test_s34_variable_inside_an_argument_is_bound_later(bus: EventBus, heard: type, is_heard: bool) -> None:
    assert hears(bus, heard, OrderBatch([Order()])) is is_heard


def test_s34_open_variable_inside_an_argument_fits_only_its_own_kind(bus: EventBus) -> None:
    assert hears(bus, Created[list[Order]], Batch([Order()]))
    assert not hears(bus, Created[Order], Batch([Order()]))


@pytest.mark.parametrize(
    ("heard", "is_heard"), [(Swapped[Dish, Order], True), (Swapped[Order, Dish], False), (Swapped[Any, Order], True)]
)
def test_s34_each_of_several_parameters_has_to_fit(bus: EventBus, heard: type, is_heard: bool) -> None:
    assert hears(bus, heard, DishThenOrder(Order())) is is_heard


def test_s34_protocol_is_bound_by_those_that_name_it(bus: EventBus) -> None:
    assert hears(bus, Priced[int], PricedOrder())
    assert not hears(bus, Priced[str], PricedOrder())
    assert hears(bus, Priced[int], PricedAlike())


def test_s34_binding_stands_in_the_annotation(bus: EventBus) -> None:
    heard: list[object] = []

    @listener
    def hear(event: Created[Order]) -> None:
        heard.append(event)

    (id,) = bus.subscribe(hear)
    order, dish = OrderCreated(Order()), DishCreated(Dish())
    bus.publish(order)
    bus.publish(dish)

    assert heard == [order]
    assert id.endswith("hear(Created[Order])")


def test_s34_union_of_bindings_hears_each(bus: EventBus) -> None:
    heard: list[object] = []

    @listener
    def hear(event: Created[Order] | Batch[Dish]) -> None:
        heard.append(event)

    (id,) = bus.subscribe(hear)
    events = [OrderCreated(Order()), DishBatch([Dish()])]
    for event in (*events, DishCreated(Dish()), OrderBatch([Order()])):
        bus.publish(event)

    assert heard == events
    assert id.endswith("hear(Created[Order], Batch[Dish])")


def test_s34_transactional_listener_binds_too(bus: EventBus) -> None:
    heard: list[object] = []

    @transactional_listener(fallback_execution=True)
    def hear(event: Created[Order]) -> None:
        heard.append(event)

    bus.subscribe(hear)
    bus.publish(DishCreated(Dish()))

    assert heard == []


def test_s34_explain_shows_the_binding(bus: EventBus) -> None:
    @listener
    def hear(event: Created[list[Order]]) -> None: ...

    bus.subscribe(hear)

    assert "hear(Created[list[Order]])" in str(bus.explain(OrderBatch))


def test_s34_module_listener_to_a_binding_is_refused(shop: Shop) -> None:
    @module_listener("kitchen.hear")
    def hear(event: Created[Order]) -> None: ...

    with pytest.raises(InvalidListenerError, match=r"Created\[Order\], which is neither an @event nor"):
        shop.kitchen_bus.subscribe(hear)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this syntax exists from 3.12 on")
def test_s34_class_in_the_newer_syntax_binds_the_same_way(bus: EventBus) -> None:
    classes: dict[str, Any] = {}
    exec("class Sold[T]: pass\nclass Resold[T](Sold[T]): pass\nclass IntResold(Resold[int]): pass", classes)
    sold, int_resold = classes["Sold"], classes["IntResold"]

    assert hears(bus, sold[int], int_resold())
    assert not hears(bus, sold[str], int_resold())
