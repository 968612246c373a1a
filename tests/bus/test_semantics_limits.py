"""The limits of one chain of causes, and of one unit of work."""

from __future__ import annotations

import logging
import threading
from contextvars import copy_context
from dataclasses import dataclass

import pytest

from bus import (
    BusError,
    CascadeError,
    EventBus,
    ListenerFailure,
    TooManyEventsError,
    listener,
    module_listener,
    transactional_listener,
)
from bus.cascade import MAX_DEPTH
from bus.context import current_cause
from bus.pending import MAX_ROWS
from bus.tables import bus_event
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop, TicketOpened, written


@dataclass(frozen=True)
class Ping:
    left: int = 1_000


@dataclass(frozen=True)
class Pong:
    left: int = 1_000


@listener
def pong(event: Ping) -> Pong | None:
    return Pong(event.left - 1) if event.left else None


@listener
def ping(event: Pong) -> Ping | None:
    return Ping(event.left - 1) if event.left else None


@pytest.fixture
def bus(bus: EventBus) -> EventBus:
    """Make a bus on which each ping is answered by a pong, and the other way round."""
    bus.subscribe(ping)
    bus.subscribe(pong)
    return bus


def test_scenario_40_cascade_of_nested_events_is_stopped_with_its_whole_chain(bus: EventBus) -> None:
    with pytest.raises(CascadeError, match="Ping → Pong → Ping → ") as stopped:
        bus.publish(Ping())

    assert stopped.value.chain == ("Ping", "Pong") * 16 + ("Ping",)
    assert isinstance(stopped.value, BusError)


def test_scenario_40_cascade_as_deep_as_the_limit_goes_through_and_a_deeper_one_does_not(bus: EventBus) -> None:
    bus.publish(Ping(MAX_DEPTH - 1))

    with pytest.raises(CascadeError):
        bus.publish(Ping(MAX_DEPTH))


def test_scenario_40_cascade_that_was_stopped_leaves_the_thread_as_it_was(bus: EventBus) -> None:
    for _ in range(3):
        with pytest.raises(CascadeError):
            bus.publish(Ping())

    bus.publish(Ping(MAX_DEPTH - 1))


def test_many_events_side_by_side_are_no_cascade(bus: EventBus) -> None:
    @listener
    def start(event: str) -> list[Ping]:
        return [Ping(0)] * 100

    bus.subscribe(start)

    bus.publish("go")


def test_scenario_40_cascade_in_one_thread_does_not_count_in_another(bus: EventBus) -> None:
    failures: list[BaseException] = []

    def publish() -> None:
        try:
            bus.publish(Ping(MAX_DEPTH - 1))
        except CascadeError as error:
            failures.append(error)

    @listener
    def start_thread(event: str) -> None:
        thread = threading.Thread(target=publish)
        thread.start()
        thread.join(10)

    bus.subscribe(start_thread)

    bus.publish("go")

    assert failures == []


def test_scenario_40_cascade_over_two_buses_is_one(bus: EventBus) -> None:
    other = EventBus()

    @listener
    def pass_on(event: str) -> None:
        other.publish(event)

    @listener
    def pass_back(event: str) -> None:
        bus.publish(event)

    bus.subscribe(pass_on)
    other.subscribe(pass_back)

    with pytest.raises(CascadeError, match="str → str"):
        bus.publish("go")


def test_scenario_40_cascade_passes_an_error_handler_so_that_its_branches_do_not_multiply() -> None:
    failures: list[ListenerFailure] = []
    bus = EventBus(on_error=failures.append)

    @listener
    def twice(event: Ping) -> list[Ping]:
        return [event, event]

    bus.subscribe(twice)

    with pytest.raises(CascadeError):
        bus.publish(Ping())

    assert failures == []


def test_scenario_40_cascade_of_background_listeners_is_stopped_too(caplog: pytest.LogCaptureFixture) -> None:
    bus, runs, is_over = EventBus(), [], threading.Event()

    @listener(background=True, id="ping.again")
    def again(event: Ping) -> None:
        runs.append(event)
        try:
            bus.publish(Ping())
        except CascadeError:
            is_over.set()
            raise

    bus.subscribe(again)

    with caplog.at_level(logging.ERROR, "bus"):
        bus.publish(Ping())
        assert is_over.wait(10)
        bus.close()

    assert len(runs) == MAX_DEPTH
    assert "background listener ping.again failed" in caplog.text
    assert "Ping → Ping" in caplog.text


def test_scenario_40_cascade_of_after_commit_listeners_is_stopped_too(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    @transactional_listener
    def again(event: OrderPlaced) -> None:
        shop.place("again")

    shop.order_bus.subscribe(again)

    with caplog.at_level(logging.ERROR, "bus"):
        shop.place("1")

    assert len(written(shop.order, bus_event)) == MAX_DEPTH
    assert "order.placed → order.placed" in caplog.text


def test_scenario_40_cascade_of_module_listeners_is_stopped_too(shop: Shop) -> None:
    stopped: list[CascadeError] = []

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: PlacedOrder) -> None:
        shop.bus.publish(TicketOpened(event.order_id))

    @module_listener("kitchen.order_again")
    def order_again(event: TicketOpened) -> None:
        try:
            shop.place(event.order_id)
        except CascadeError as error:
            stopped.append(error)

    shop.kitchen_bus.subscribe(open_ticket)
    shop.kitchen_bus.subscribe(order_again)

    shop.place("1")
    shop.bus.drain()

    assert len(stopped) == 1
    assert stopped[0].chain == ("order.placed", "kitchen.ticket_opened") * (MAX_DEPTH // 2) + ("order.placed",)


def test_scenario_40_cascade_through_threads_of_the_applications_own_is_stopped_where_they_have_the_context(
    shop: Shop,
) -> None:
    stopped: list[CascadeError] = []

    def place_again() -> None:
        try:
            shop.place("again")
        except CascadeError as error:
            stopped.append(error)

    @transactional_listener
    def pass_on(event: OrderPlaced) -> None:
        thread = threading.Thread(target=copy_context().run, args=(place_again,))
        thread.start()
        thread.join(30)

    shop.order_bus.subscribe(pass_on)

    shop.place("1")

    assert [error.chain for error in stopped] == [("order.placed",) * (MAX_DEPTH + 1)]


def test_nested_and_delivered_events_count_together(shop: Shop, bus: EventBus) -> None:
    stopped: list[CascadeError] = []

    @module_listener("kitchen.play")
    def play(event: PlacedOrder) -> None:
        bus.publish(Ping(MAX_DEPTH - 3))
        try:
            bus.publish(Ping(MAX_DEPTH - 2))
        except CascadeError as error:
            stopped.append(error)

    shop.kitchen_bus.subscribe(play)
    shop.place_at_depth(2)
    shop.bus.drain()

    assert stopped[0].chain[:4] == ("order.placed", "order.placed", "Ping", "Pong")


def test_ancestry_ends_with_the_block_that_it_belongs_to(shop: Shop) -> None:
    shop.place_at_depth(5)

    assert current_cause().ancestry == ()


def test_unit_of_work_may_write_as_many_rows_as_the_limit(shop: Shop) -> None:
    # Each order is a row of its own, and one for the kitchen.
    shop.place(*map(str, range(MAX_ROWS // 2)))

    assert len(written(shop.order, bus_event)) == MAX_ROWS // 2


def test_publish_that_exceeds_the_limit_of_rows_is_refused_with_count_and_limit(shop: Shop) -> None:
    with pytest.raises(TooManyEventsError, match="10,002 rows of the bus, the limit is 10,000") as refused:
        shop.place(*map(str, range(MAX_ROWS // 2 + 1)))

    assert (refused.value.count, refused.value.limit) == (10_002, MAX_ROWS)
    assert written(shop.order, bus_event) == []


def test_event_that_nobody_is_owed_is_one_row(shop: Shop) -> None:
    with pytest.raises(TooManyEventsError, match="10,001 rows"), shop.kitchen.transaction():
        for _ in range(MAX_ROWS + 1):
            shop.bus.publish(TicketOpened("1"))


def test_rolled_back_savepoint_gives_its_rows_back(shop: Shop) -> None:
    with shop.order.transaction():
        with pytest.raises(TooManyEventsError), shop.order.savepoint():
            shop.place(*map(str, range(MAX_ROWS)))
        shop.place(*map(str, range(MAX_ROWS // 2)))

    assert len(written(shop.order, bus_event)) == MAX_ROWS // 2
