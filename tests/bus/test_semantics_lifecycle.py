"""S32: the bus publishes events of its own life on itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bus import (
    BusClosed,
    BusError,
    BusStarted,
    BusStopped,
    EventBus,
    StoppedError,
    listener,
    module_listener,
)
from bus.tables import bus_event
from tests.bus.shop import PlacedOrder, Shop, written
from tests.threads import bus_threads


@dataclass(frozen=True)
class Payment:
    amount: int = 1


def hearing(bus: EventBus) -> list[object]:
    """Return a list that fills with the events of the bus's life."""
    heard: list[object] = []

    @listener(BusStarted, BusStopped, BusClosed)
    def hear(event: object) -> None:
        heard.append(event)

    bus.subscribe(hear)
    return heard


def failing(cls: type, heard: list[str] | None = None) -> Callable[[object], None]:
    @listener(cls)
    def fail(event: object) -> None:
        raise ValueError("no news, please")

    return fail


@pytest.fixture(params=["alone", "assembled"])
def any_bus(request: pytest.FixtureRequest, shop: Shop) -> EventBus:
    """Make a bus without modules, and one with them."""
    return EventBus() if request.param == "alone" else shop.bus


def test_s32_start_is_published_once(any_bus: EventBus) -> None:
    heard = hearing(any_bus)

    any_bus.start()
    any_bus.start()

    assert heard == [BusStarted(any_bus)]
    any_bus.close()


def test_s32_stop_is_published_only_where_it_ran(any_bus: EventBus) -> None:
    heard = hearing(any_bus)

    any_bus.stop()
    any_bus.start()
    any_bus.stop()
    any_bus.stop()

    assert heard == [BusStarted(any_bus), BusStopped(any_bus)]


def test_s32_stopped_bus_may_be_started_again(any_bus: EventBus) -> None:
    heard = hearing(any_bus)

    for _ in range(2):
        any_bus.start()
        any_bus.stop()

    assert heard == [BusStarted(any_bus), BusStopped(any_bus)] * 2


def test_s32_close_is_published_first_then_the_stop_and_only_once(any_bus: EventBus) -> None:
    heard = hearing(any_bus)
    any_bus.start()

    any_bus.close()
    any_bus.close()

    assert heard == [BusStarted(any_bus), BusClosed(any_bus), BusStopped(any_bus)]


def test_s32_bus_that_never_ran_is_closed_without_a_stop(any_bus: EventBus) -> None:
    heard = hearing(any_bus)

    any_bus.close()

    assert heard == [BusClosed(any_bus)]


def test_s32_closed_bus_is_not_started_again(any_bus: EventBus) -> None:
    any_bus.close()
    heard = hearing(any_bus)

    any_bus.start()

    assert heard == []
    assert bus_threads() == []


def test_s32_drain_of_a_closed_bus_is_refused(any_bus: EventBus) -> None:
    any_bus.close()

    with pytest.raises(StoppedError, match="carried by whoever runs next"):
        any_bus.drain()


def test_s32_drain_publishes_the_start_too(any_bus: EventBus) -> None:
    heard = hearing(any_bus)

    any_bus.drain()

    assert heard == [BusStarted(any_bus)]
    any_bus.close()


def test_s32_event_published_after_close_is_recorded_for_whoever_runs_next(shop: Shop) -> None:
    shop.bus.start()
    shop.bus.close()

    shop.place("1")

    assert len(written(shop.order, bus_event)) == 1


def test_s32_application_events_are_delivered_after_close(bus: EventBus) -> None:
    heard: list[Payment] = []

    @listener
    def hear(event: Payment) -> None:
        heard.append(event)

    bus.subscribe(hear)
    bus.close()

    bus.publish(Payment())

    assert heard == [Payment()]


def test_s32_error_of_a_started_listener_reaches_who_started_it_and_the_bus_runs(shop: Shop) -> None:
    shop.bus.subscribe(failing(BusStarted))

    with pytest.raises(ValueError, match="no news"):
        shop.bus.start()

    assert bus_threads() != []
    shop.bus.start()


@pytest.mark.parametrize("cls", [BusStopped, BusClosed])
def test_s32_error_of_a_closing_listener_is_logged_and_the_shutdown_goes_on(
    shop: Shop, caplog: pytest.LogCaptureFixture, cls: type
) -> None:
    shop.bus.subscribe(failing(cls))
    shop.bus.start()

    with caplog.at_level(logging.ERROR, "bus"):
        shop.bus.close()

    assert f"a listener of {cls.__name__} failed" in caplog.text
    assert bus_threads() == []


def test_s32_listener_of_the_close_still_finds_the_bus_at_work(shop: Shop) -> None:
    threads: list[str] = []
    last_words: list[str] = []

    @listener(background=True)
    def speak(event: Payment) -> None:
        last_words.append("spoken")

    @listener
    def on_close(event: BusClosed) -> None:
        threads.extend(bus_threads())
        event.bus.publish(Payment())

    shop.bus.subscribe(speak)
    shop.bus.subscribe(on_close)
    shop.bus.start()

    shop.bus.close()

    assert "bus-kitchen" in threads
    assert last_words == ["spoken"]


def test_s32_close_waits_for_background_listeners(bus: EventBus) -> None:
    heard: list[int] = []

    @listener(background=True)
    def note(event: Payment) -> None:
        heard.append(event.amount)

    bus.subscribe(note)
    for number in range(20):
        bus.publish(Payment(number))

    bus.close()

    assert sorted(heard) == list(range(20))
    assert bus_threads() == []


def test_s32_close_names_the_background_listeners_that_outlast_the_grace(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
    begun, gate = threading.Event(), threading.Event()

    @listener(background=True, id="till.linger")
    def linger(event: Payment) -> None:
        begun.set()
        gate.wait(10)

    bus.subscribe(linger)
    bus.publish(Payment())
    begun.wait(10)

    bus.close(grace=0)
    gate.set()

    assert "not done: till.linger" in caplog.text


@pytest.mark.parametrize("end", [EventBus.close, EventBus.stop])
def test_s32_end_in_a_module_listener_is_refused_and_may_be_done_later(
    shop: Shop, end: Callable[[EventBus], None]
) -> None:
    refused: list[BusError] = []

    @module_listener("kitchen.end")
    def end_here(event: PlacedOrder) -> None:
        try:
            end(shop.bus)
        except BusError as error:
            refused.append(error)

    shop.kitchen_bus.subscribe(end_here)
    heard = hearing(shop.bus)
    shop.place("1")
    shop.bus.drain()

    shop.bus.close()

    assert "call it outside of listeners" in str(refused[0])
    assert heard == [BusStarted(shop.bus), BusClosed(shop.bus), BusStopped(shop.bus)]


def test_s32_close_in_a_background_listener_is_refused(bus: EventBus) -> None:
    refused: list[BusError] = []

    @listener(background=True)
    def end_here(event: Payment) -> None:
        try:
            bus.close()
        except BusError as error:
            refused.append(error)

    bus.subscribe(end_here)
    bus.publish(Payment())

    bus.close()

    assert "call it outside of listeners" in str(refused[0])
