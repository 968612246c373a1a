"""S35: background listeners run on threads of the bus, and their publisher hears nothing of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from bus import Database, EventBus, ListenerFailure, NoTransactionError, StoppedError, assemble, listener
from tests.bus.shop import OrderPlaced, Shop, add, written

shopper: ContextVar[str] = ContextVar("shopper", default="nobody")


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class Booked:
    pass


class SoldOutError(Exception):
    pass


FAILURE = SoldOutError("no ramen")


@pytest.fixture
def heard() -> Queue[Any]:
    return Queue()


@pytest.fixture
def bus() -> Iterator[EventBus]:
    bus = EventBus()
    yield bus
    bus.close(grace=10)


def in_background(note: Callable[[Payment], object], **options: Any) -> Callable[[Payment], object]:
    """Return a background listener that does what the function says."""

    @listener(background=True, **options)
    def react(event: Payment) -> object:
        return note(event)

    return react


def putting(heard: Queue[str], name: str, _event: Payment) -> None:
    heard.put(name)


def test_s35_background_listener_runs_on_a_named_thread_of_the_bus(bus: EventBus, heard: Queue[str]) -> None:
    bus.subscribe(in_background(lambda _event: heard.put(threading.current_thread().name)))

    bus.publish(Payment())

    assert heard.get(timeout=10) == "bus-background-1"


def test_s35_publisher_does_not_wait_for_it(bus: EventBus) -> None:
    gate = threading.Event()
    bus.subscribe(in_background(lambda _event: gate.wait(10)))

    bus.publish(Payment())

    gate.set()


def test_s35_bus_without_background_events_has_no_threads(bus: EventBus) -> None:
    bus.subscribe(in_background(lambda _event: None, condition=lambda _event: False))

    bus.publish(Payment())

    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("bus-background")] == []


def test_s35_it_sees_a_copy_of_the_publishers_context_variables(bus: EventBus, heard: Queue[str]) -> None:
    def note(_event: Payment) -> None:
        heard.put(shopper.get())
        shopper.set("the listener's own")

    bus.subscribe(in_background(note))
    token = shopper.set("ann")
    bus.publish(Payment())

    assert heard.get(timeout=10) == "ann"
    assert shopper.get() == "ann"
    shopper.reset(token)


def test_s35_its_exception_goes_to_the_log_and_not_to_the_publisher(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_event: Payment) -> None:
        raise FAILURE

    bus.subscribe(in_background(refuse, id="till.refuse"))

    with caplog.at_level(logging.ERROR, "bus"):
        bus.publish(Payment())
        bus.close()

    assert "background listener till.refuse failed" in caplog.text
    assert "SoldOutError: no ramen" in caplog.text


def test_s35_its_exception_goes_to_the_error_handler(heard: Queue[ListenerFailure]) -> None:
    def refuse(_event: Payment) -> None:
        raise FAILURE

    bus = EventBus(on_error=heard.put)
    bus.subscribe(in_background(refuse, id="till.refuse"))

    bus.publish(Payment(3))
    bus.close()

    assert heard.get_nowait() == ListenerFailure("till.refuse", Payment(3), FAILURE)


def test_s35_error_handler_that_raises_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def again(failure: ListenerFailure) -> None:
        raise ValueError("the handler's own") from failure.error

    def refuse(_event: Payment) -> None:
        raise FAILURE

    bus = EventBus(on_error=again)
    bus.subscribe(in_background(refuse))

    with caplog.at_level(logging.ERROR, "bus"):
        bus.publish(Payment())
        bus.close()

    assert "ValueError: the handler's own" in caplog.text


def test_s35_thread_outlives_a_listener_that_exits(heard: Queue[int], caplog: pytest.LogCaptureFixture) -> None:
    def leave(event: Payment) -> None:
        if event.amount == 1:
            raise SystemExit
        heard.put(event.amount)

    bus = EventBus(background_threads=1)
    bus.subscribe(in_background(leave))

    bus.publish(Payment(1))
    bus.publish(Payment(2))

    assert heard.get(timeout=10) == 2
    bus.close()


def test_s35_its_return_value_is_not_published(bus: EventBus) -> None:
    heard: list[Booked] = []

    @listener
    def hear(event: Booked) -> None:
        heard.append(event)

    bus.subscribe(hear)
    bus.subscribe(in_background(lambda _event: Booked()))

    bus.publish(Payment())
    bus.close()

    assert heard == []


def test_s35_condition_is_asked_in_the_publishers_thread(bus: EventBus, heard: Queue[int]) -> None:
    asked: list[str] = []

    def is_large(event: Payment) -> bool:
        asked.append(threading.current_thread().name)
        return event.amount > 1

    bus.subscribe(in_background(lambda event: heard.put(event.amount), condition=is_large))

    bus.publish(Payment(1))
    bus.publish(Payment(2))

    assert heard.get(timeout=10) == 2
    assert asked == [threading.current_thread().name] * 2


def test_s35_condition_that_raises_reaches_the_publisher(bus: EventBus) -> None:
    bus.subscribe(in_background(lambda _event: None, condition=lambda event: event.amount / 0 > 1))

    with pytest.raises(ZeroDivisionError):
        bus.publish(Payment())


def test_s35_order_is_the_order_of_the_hand_over(heard: Queue[str]) -> None:
    bus = EventBus(background_threads=1)
    for name, order in (("third", 3), ("first", 1), ("second", 2)):
        bus.subscribe(in_background(partial(putting, heard, name), order=order))

    bus.publish(Payment())
    bus.close()

    assert [heard.get_nowait() for _ in range(3)] == ["first", "second", "third"]


def test_s35_at_most_the_given_threads_run_at_a_time(heard: Queue[int]) -> None:
    both = threading.Barrier(2, timeout=10)
    bus = EventBus(background_threads=2)

    def meet(event: Payment) -> None:
        both.wait()
        heard.put(event.amount)

    bus.subscribe(in_background(meet))

    for number in range(6):
        bus.publish(Payment(number))
    names = {thread.name for thread in threading.enumerate() if thread.name.startswith("bus-background")}
    bus.close()

    assert names == {"bus-background-1", "bus-background-2"}
    assert sorted(heard.get_nowait() for _ in range(6)) == list(range(6))


def test_s35_publishing_to_one_after_close_is_refused_with_the_mend(bus: EventBus) -> None:
    bus.subscribe(in_background(lambda _event: None, id="till.note"))
    bus.close()

    with pytest.raises(StoppedError, match=r"till\.note cannot run any more.*publish before `bus.close\(\)`"):
        bus.publish(Payment())


def test_s35_refusal_reaches_the_publisher_past_an_error_handler() -> None:
    failures: list[ListenerFailure] = []
    bus = EventBus(on_error=failures.append)
    bus.subscribe(in_background(lambda _event: None))
    bus.close()

    with pytest.raises(StoppedError):
        bus.publish(Payment())

    assert failures == []


def test_s35_it_runs_at_once_whatever_becomes_of_the_transaction(
    bus: EventBus, database: Database, heard: Queue[int]
) -> None:
    bus.subscribe(in_background(lambda event: heard.put(event.amount)))

    with pytest.raises(SoldOutError), database.transaction():
        bus.publish(Payment(5))
        assert heard.get(timeout=10) == 5
        raise FAILURE


def test_s35_it_cannot_use_the_publishers_unit_of_work(bus: EventBus, database: Database, heard: Queue[Any]) -> None:
    def write(_event: Payment) -> None:
        try:
            add(database, "1")
        except NoTransactionError as error:
            heard.put(error)

    bus.subscribe(in_background(write))

    with database.transaction():
        bus.publish(Payment())
        refused = heard.get(timeout=10)

    assert isinstance(refused, NoTransactionError)
    assert written(database) == []


def test_s35_it_may_open_a_unit_of_work_of_its_own(bus: EventBus, database: Database) -> None:
    def write(_event: Payment) -> None:
        with database.transaction():
            add(database, "from the background")

    bus.subscribe(in_background(write))

    bus.publish(Payment())
    bus.close()

    assert written(database) == ["from the background"]


def test_s35_it_may_listen_to_a_published_event(shop: Shop, heard: Queue[OrderPlaced]) -> None:
    @listener(background=True)
    def note(event: OrderPlaced) -> None:
        heard.put(event)

    shop.order_bus.subscribe(note)

    shop.place("1")

    assert heard.get(timeout=10) == OrderPlaced("1")
    shop.bus.close()


def test_s35_assembled_bus_takes_the_number_of_threads(tmp_path: Path, heard: Queue[str]) -> None:
    bus = assemble([], {}, background_threads=1)
    bus.subscribe(in_background(lambda _event: heard.put(threading.current_thread().name)))

    bus.publish(Payment())
    bus.publish(Payment())
    bus.close()

    assert {heard.get_nowait(), heard.get_nowait()} == {"bus-background-1"}


def test_s35_method_is_called_on_the_instance_that_the_provider_gives(bus: EventBus, heard: Queue[object]) -> None:
    class Till:
        @listener(background=True)
        def note(self, event: Payment) -> None:
            heard.put(self)

    till = Till()
    bus.subscribe_provider(Till, lambda: till)

    bus.publish(Payment())

    assert heard.get(timeout=10) is till
