"""S25-S30: how listeners are found and registered, where their instances come from, and how they are removed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from bus import EventBus, listener


@dataclass(frozen=True)
class Payment:
    amount: int = 1


class Till:
    def __init__(self, heard: list[object]) -> None:
        self.heard = heard

    @listener
    def note(self, event: Payment) -> None:
        self.heard.append(self)


class SilentTill(Till):
    pass


class LoudTill(Till):
    def note(self, event: Payment) -> None:
        self.heard.append("override")


class DecoratedTill(Till):
    @listener
    def note(self, event: Payment) -> None:
        self.heard.append("override")


class EagerTill(Till):
    @listener(order=1)
    def look(self, event: Payment) -> None:
        self.heard.append("look")


def audited(function: Callable[[Payment], None]) -> Callable[[Payment], None]:
    """Compose a decorator of an application's own with the bus's."""
    return listener(order=5, id="audit")(function)


def twice(function: Callable[[Payment], None]) -> Callable[[Payment], None]:
    """Wrap a listener that is decorated already."""

    @functools.wraps(function)
    def call_twice(event: Payment) -> None:
        function(event)
        function(event)

    return call_twice


def test_s25_same_function_registered_twice_fires_once(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener
    def hear(event: Payment) -> None:
        heard.append(event)

    first, again = bus.subscribe(hear), bus.subscribe(hear)

    bus.publish(Payment())

    assert first == again
    assert heard == [Payment()]


def test_s25_same_object_registered_twice_fires_once(bus: EventBus) -> None:
    heard: list[object] = []
    till = Till(heard)
    bus.subscribe(till)
    bus.subscribe(till)

    bus.publish(Payment())

    assert heard == [till]


def test_s25_method_of_an_object_that_is_registered_already_fires_once(bus: EventBus) -> None:
    heard: list[object] = []
    till = Till(heard)
    bus.subscribe(till)
    bus.subscribe(till.note)

    bus.publish(Payment())

    assert heard == [till]


def test_s25_two_objects_of_one_class_both_fire(bus: EventBus) -> None:
    heard: list[object] = []
    tills = [Till(heard), Till(heard)]
    for till in tills:
        bus.subscribe(till)

    bus.publish(Payment())

    assert heard == tills


def test_s26_instance_is_taken_from_the_provider_at_every_dispatch(bus: EventBus) -> None:
    heard: list[object] = []
    made: list[Till] = []

    def provide() -> Till:
        made.append(Till(heard))
        return made[-1]

    bus.subscribe_provider(Till, provide)
    made_at_registration = list(made)

    bus.publish(Payment())
    bus.publish(Payment())

    assert made_at_registration == []
    assert len(made) == 2
    assert heard == made


def test_s27_inherited_listener_method_works_on_the_subclass(bus: EventBus) -> None:
    heard: list[object] = []
    till = SilentTill(heard)
    bus.subscribe(till)

    bus.publish(Payment())

    assert heard == [till]


def test_s27_override_without_decorator_still_counts_and_once(bus: EventBus) -> None:
    heard: list[object] = []
    bus.subscribe(LoudTill(heard))

    bus.publish(Payment())

    assert heard == ["override"]


def test_s27_override_with_decorator_counts_once(bus: EventBus) -> None:
    heard: list[object] = []
    bus.subscribe(DecoratedTill(heard))

    bus.publish(Payment())

    assert heard == ["override"]


def test_s27_own_and_inherited_listeners_work_side_by_side(bus: EventBus) -> None:
    heard: list[object] = []
    till = EagerTill(heard)
    bus.subscribe(till)

    bus.publish(Payment())

    assert heard == ["look", till]


def test_s28_decorator_that_wraps_the_bus_own_is_discovered(bus: EventBus) -> None:
    heard: list[Payment] = []

    @audited
    def hear(event: Payment) -> None:
        heard.append(event)

    ids = bus.subscribe(hear)

    bus.publish(Payment())

    assert ids == ("audit",)
    assert heard == [Payment()]


def test_s28_wrapper_around_a_decorated_function_is_called(bus: EventBus) -> None:
    heard: list[Payment] = []

    @twice
    @listener
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)

    bus.publish(Payment())

    assert heard == [Payment(), Payment()]


def test_s29_listener_without_id_is_named_for_its_function_and_types(bus: EventBus) -> None:
    ids = bus.subscribe(Till([]))

    assert ids == (f"{__name__}.Till.note(Payment)",)


def test_s29_listener_is_removed_by_its_given_id(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener(id="till.note")
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)
    bus.publish(Payment(1))

    removed = bus.unsubscribe("till.note")

    bus.publish(Payment(2))
    assert removed == 1
    assert heard == [Payment(1)]


def test_s29_listener_is_removed_by_the_id_that_subscribe_returned(bus: EventBus) -> None:
    heard: list[object] = []
    (id,) = bus.subscribe(Till(heard))

    removed = bus.unsubscribe(id)

    bus.publish(Payment())
    assert removed == 1
    assert heard == []


def test_s29_listeners_are_removed_by_a_predicate(bus: EventBus) -> None:
    heard: list[object] = []
    bus.subscribe(EagerTill(heard))

    removed = bus.unsubscribe(lambda found: found.id.endswith("note(Payment)"))

    bus.publish(Payment())
    assert removed == 1
    assert heard == ["look"]


def test_s29_unknown_id_removes_nothing(bus: EventBus) -> None:
    bus.subscribe(Till([]))

    assert bus.unsubscribe("somebody.else") == 0


def test_s30_listener_whose_provider_returns_none_is_passed_over(bus: EventBus) -> None:
    heard: list[object] = []
    last = Till(heard)
    bus.subscribe_provider(Till, lambda: None)
    bus.subscribe(last)

    bus.publish(Payment())

    assert heard == [last]
