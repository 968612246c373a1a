"""S16-S24: in what order listeners run, what becomes of their replies, and how publishes nest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from bus import EventBus, listener


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class CardPayment(Payment):
    pass


@dataclass(frozen=True)
class Booked:
    amount: int = 1


class Counted(NamedTuple):
    coins: int
    notes: int


def noting(heard: list[str], name: str, *, order: int | None = None) -> Callable[[Payment], None]:
    """Return a listener that notes its name."""

    def note(event: Payment) -> None:
        heard.append(name)

    return listener(id=name)(note) if order is None else listener(order=order)(note)


def replying(reply: object) -> Callable[[Payment], object]:
    """Return a listener that answers every payment alike."""

    @listener
    def answer(event: Payment) -> object:
        return reply

    return answer


def hearing(bus: EventBus, *types: type) -> list[object]:
    """Return a list that fills with the events of these types."""
    heard: list[object] = []

    @listener(*types)
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)
    return heard


def test_s16_lower_order_runs_first_whatever_the_registration(bus: EventBus) -> None:
    heard: list[str] = []
    for name, order in (("third", 30), ("first", -1), ("second", 5)):
        bus.subscribe(noting(heard, name, order=order))

    bus.publish(Payment())

    assert heard == ["first", "second", "third"]


def test_s16_order_holds_across_the_types_that_match(bus: EventBus) -> None:
    heard: list[str] = []

    @listener(order=1)
    def on_subclass(event: CardPayment) -> None:
        heard.append("subclass")

    @listener(order=0)
    def on_object(event: object) -> None:
        heard.append("object")

    bus.subscribe(noting(heard, "base", order=2))
    bus.subscribe(on_subclass)
    bus.subscribe(on_object)

    bus.publish(CardPayment())

    assert heard == ["object", "subclass", "base"]


def test_s17_listener_without_order_runs_after_those_with_one(bus: EventBus) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "without"))
    bus.subscribe(noting(heard, "with", order=1_000_000))

    bus.publish(Payment())

    assert heard == ["with", "without"]


@pytest.mark.parametrize("order", [None, 7])
def test_s17_equal_order_keeps_the_order_of_registration(bus: EventBus, order: int | None) -> None:
    heard: list[str] = []
    names = list("hgfedcba")
    for name in names:
        bus.subscribe(noting(heard, name, order=order))

    bus.publish(Payment())

    assert heard == names


def test_s18_returned_value_is_published_as_a_new_event(bus: EventBus) -> None:
    booked = Booked()
    heard = hearing(bus, Booked)
    bus.subscribe(replying(booked))

    bus.publish(Payment())

    assert heard == [booked]
    assert heard[0] is booked


def test_s18_replies_are_published_too_where_several_listeners_run(bus: EventBus) -> None:
    heard = hearing(bus, Booked)
    bus.subscribe(replying(Booked(1)))
    bus.subscribe(replying(Booked(2)))

    bus.publish(Payment())

    assert heard == [Booked(1), Booked(2)]


def test_s19_returned_none_publishes_nothing(bus: EventBus) -> None:
    heard = hearing(bus, object)
    bus.subscribe(replying(None))

    bus.publish(Payment())

    assert heard == [Payment()]


@pytest.mark.parametrize("kind", [list, tuple])
def test_s20_elements_of_a_returned_sequence_are_published_one_by_one_in_order(
    bus: EventBus, kind: Callable[[list[Booked]], object]
) -> None:
    heard = hearing(bus, Booked, list, tuple)
    bus.subscribe(replying(kind([Booked(3), Booked(1), Booked(2)])))

    bus.publish(Payment())

    assert heard == [Booked(3), Booked(1), Booked(2)]


def test_s20_elements_of_a_returned_set_are_published_one_by_one(bus: EventBus) -> None:
    heard = hearing(bus, Booked, set)
    bus.subscribe(replying({Booked(1), Booked(2)}))

    bus.publish(Payment())

    assert len(heard) == 2
    assert set(heard) == {Booked(1), Booked(2)}


@pytest.mark.parametrize("reply", ["text", {"a": 1}, Counted(coins=1, notes=2)], ids=["str", "dict", "named tuple"])
def test_s20_returned_string_dict_or_named_tuple_is_one_event(bus: EventBus, reply: object) -> None:
    heard = hearing(bus, str, int, dict, Counted)
    bus.subscribe(replying(reply))

    bus.publish(Payment())

    assert heard == [reply]


def test_s21_none_elements_are_skipped_and_elements_need_no_listener(bus: EventBus) -> None:
    heard = hearing(bus, Booked, type(None))
    bus.subscribe(replying([None, Booked(1), "nobody listens to this", None, Booked(2)]))

    bus.publish(Payment())

    assert heard == [Booked(1), Booked(2)]


def test_s23_nested_publish_is_over_before_the_outer_events_remaining_listeners(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def book(event: Payment) -> None:
        heard.append("payment, first")
        bus.publish(Booked())
        heard.append("payment, first, done")

    @listener
    def hear_booked(event: Booked) -> None:
        heard.append("booked")

    bus.subscribe(book)
    bus.subscribe(noting(heard, "payment, second"))
    bus.subscribe(hear_booked)

    bus.publish(Payment())

    assert heard == ["payment, first", "booked", "payment, first, done", "payment, second"]


def test_s23_reply_is_dispatched_before_the_outer_events_remaining_listeners(bus: EventBus) -> None:
    heard: list[str] = []

    @listener
    def hear_booked(event: Booked) -> None:
        heard.append("booked")

    bus.subscribe(replying(Booked()))
    bus.subscribe(noting(heard, "payment, second"))
    bus.subscribe(hear_booked)

    bus.publish(Payment())

    assert heard == ["booked", "payment, second"]


def test_s24_listener_that_is_registered_during_a_publish_hears_only_the_next(bus: EventBus) -> None:
    heard: list[str] = []
    late = noting(heard, "late")

    @listener
    def register(event: Payment) -> None:
        heard.append("register")
        bus.subscribe(late)

    bus.subscribe(register)
    bus.subscribe(noting(heard, "last"))

    bus.publish(Payment())
    at_first = list(heard)
    bus.publish(Payment())

    assert at_first == ["register", "last"]
    assert heard == [*at_first, "register", "last", "late"]


def test_s24_listener_that_is_removed_during_a_publish_still_hears_it(bus: EventBus) -> None:
    heard: list[str] = []

    @listener(order=1)
    def remove(event: Payment) -> None:
        bus.unsubscribe("last")

    bus.subscribe(remove)
    bus.subscribe(noting(heard, "last"))

    bus.publish(Payment())
    at_first = list(heard)
    bus.publish(Payment())

    assert at_first == ["last"]
    assert heard == ["last"]
