"""S01-S03, S10-S13: which listeners a publish calls, with what, and what their exceptions do."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from bus import EventBus, listener


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class Refund:
    amount: int = 1


class OutOfPaperError(Exception):
    pass


def test_s01_publish_calls_listeners_in_the_callers_thread_and_returns_after_the_last(bus: EventBus) -> None:
    threads: list[threading.Thread] = []

    @listener
    def first(event: Payment) -> None:
        threads.append(threading.current_thread())

    @listener
    def second(event: Payment) -> None:
        threads.append(threading.current_thread())

    bus.subscribe(first)
    bus.subscribe(second)

    bus.publish(Payment())

    assert threads == [threading.current_thread()] * 2


@pytest.mark.parametrize("event", ["a string", 17, {"a": "dict"}, object()], ids=lambda event: type(event).__name__)
def test_s02_any_object_is_an_event_and_reaches_its_listener_itself(bus: EventBus, event: object) -> None:
    heard: list[object] = []

    @listener(type(event))
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(event)

    assert len(heard) == 1
    assert heard[0] is event


def test_s03_listener_of_another_type_is_not_called(bus: EventBus) -> None:
    heard: list[Refund] = []

    @listener
    def hear(event: Refund) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(Payment())

    assert heard == []


def test_s03_event_without_any_listener_is_no_error(bus: EventBus) -> None:
    bus.publish(Payment())


def test_s10_listener_is_passed_over_where_its_condition_is_false_for_the_event(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener(condition=lambda event: event.amount > 10)
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)

    for amount in (5, 15, 7):
        bus.publish(Payment(amount))

    assert heard == [Payment(15)]


def test_s11_condition_works_together_with_explicit_types(bus: EventBus) -> None:
    heard: list[object] = []

    @listener(Payment, Refund, condition=lambda event: event.amount > 10)
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)

    for event in (Payment(5), Payment(15), Refund(5), Refund(15)):
        bus.publish(event)

    assert heard == [Payment(15), Refund(15)]


def test_s12_exception_of_a_listener_reaches_the_publisher_as_the_same_object(bus: EventBus) -> None:
    error = OutOfPaperError()

    @listener
    def hear(event: Payment) -> None:
        raise error

    bus.subscribe(hear)

    with pytest.raises(OutOfPaperError) as caught:
        bus.publish(Payment())

    assert caught.value is error


def test_s13_listeners_after_a_failed_one_are_not_called(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def before(event: Payment) -> None:
        heard.append("before")

    @listener
    def failing(event: Payment) -> None:
        raise OutOfPaperError

    @listener
    def after(event: Payment) -> None:
        heard.append("after")

    for function in (before, failing, after):
        bus.subscribe(function)

    with pytest.raises(OutOfPaperError):
        bus.publish(Payment())

    assert heard == ["before"]
