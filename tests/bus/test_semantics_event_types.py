"""S04-S09: which types of events a listener receives, and where it says so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pytest

from bus import EventBus, InvalidListenerError, listener


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class CardPayment(Payment):
    pass


@dataclass(frozen=True)
class PrepaidPayment(CardPayment):
    pass


@dataclass(frozen=True)
class Refund:
    amount: int = 1


class Auditable(ABC):
    @abstractmethod
    def line(self) -> str: ...


class Closing(Auditable):
    def line(self) -> str:
        return "closed"


@runtime_checkable
class HasReceipt(Protocol):
    def receipt(self) -> str: ...


class Sale:
    def receipt(self) -> str:
        return "1.00"


@pytest.mark.parametrize("event", [Payment(), CardPayment(), PrepaidPayment()], ids=lambda event: type(event).__name__)
def test_s04_listener_on_a_base_class_receives_subclasses(bus: EventBus, event: Payment) -> None:
    heard: list[Payment] = []

    @listener
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(event)

    assert heard == [event]


def test_s04_listener_on_an_abstract_base_receives_its_implementations(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def hear(event: Auditable) -> None:
        heard.append(event.line())

    bus.subscribe(hear)

    bus.publish(Closing())

    assert heard == ["closed"]


def test_s04_listener_on_an_interface_receives_what_has_its_methods(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def hear(event: HasReceipt) -> None:
        heard.append(event.receipt())

    bus.subscribe(hear)

    bus.publish(Sale())
    bus.publish(Payment())

    assert heard == ["1.00"]


def test_s05_listener_on_a_subclass_does_not_receive_the_base(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener
    def hear(event: CardPayment) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(Payment())

    assert heard == []


def test_s06_union_in_the_annotation_names_several_types(bus: EventBus) -> None:
    heard: list[object] = []

    @listener
    def hear(event: Payment | Refund) -> None:
        heard.append(event)

    bus.subscribe(hear)

    for event in (Payment(), Refund(), Sale()):
        bus.publish(event)

    assert heard == [Payment(), Refund()]


def test_s06_closure_over_a_variable_that_has_no_value_yet_is_registered_all_the_same(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def hear(event: Payment) -> None:
        heard.append(own_id)

    (own_id,) = bus.subscribe(hear)

    bus.publish(Payment())

    assert heard == [own_id]


def test_s06_listener_without_parameter_and_types_is_refused_at_registration(bus: EventBus) -> None:
    @listener
    def hear() -> None: ...

    with pytest.raises(InvalidListenerError, match="takes no parameter and names no event type"):
        bus.subscribe(hear)


def test_s07_listener_with_two_parameters_is_refused_at_registration(bus: EventBus) -> None:
    @listener
    def hear(event: Payment, clock: object) -> None: ...

    with pytest.raises(InvalidListenerError, match=r"takes 2 parameters \(event, clock\)"):
        bus.subscribe(hear)


def test_s07_self_of_a_method_does_not_count(bus: EventBus) -> None:
    heard: list[Payment] = []

    class Till:
        @listener
        def hear(self, event: Payment) -> None:
            heard.append(event)

    bus.subscribe(Till())

    bus.publish(Payment())

    assert heard == [Payment()]


def test_s08_explicit_types_go_with_a_parameter_of_a_common_base(bus: EventBus) -> None:
    heard: list[object] = []

    @listener(Payment, Refund)
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)

    for event in (Payment(), Refund(), Sale()):
        bus.publish(event)

    assert heard == [Payment(), Refund()]


def test_s08_explicit_types_go_without_any_parameter(bus: EventBus) -> None:
    heard: list[str] = []

    class Till:
        @listener(Payment, Refund)
        def open(self) -> None:
            heard.append("method")

    @listener(Payment)
    def hear() -> None:
        heard.append("function")

    bus.subscribe(hear)
    bus.subscribe(Till())

    bus.publish(Payment())
    bus.publish(Refund())

    assert heard == ["function", "method", "method"]


def test_s09_explicit_types_win_over_the_annotation(bus: EventBus) -> None:
    heard: list[object] = []

    @listener(CardPayment)
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(Payment())
    bus.publish(CardPayment())

    assert heard == [CardPayment()]
