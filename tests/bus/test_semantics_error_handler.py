"""S14-S15: the bus's error handler takes the failures of listeners in place of the publisher."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass

import pytest
from sqlalchemy.exc import IntegrityError

from bus import (
    Database,
    EventBus,
    ListenerFailure,
    Module,
    Phase,
    RollbackOnlyError,
    assemble,
    listener,
    transactional_listener,
)
from tests.bus.shop import OrderPlaced, add, written


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@dataclass(frozen=True)
class Booked:
    amount: int = 1


class SoldOutError(Exception):
    pass


class Interrupted(BaseException):
    pass


FAILURE = SoldOutError("no ramen")


@pytest.fixture
def failures() -> list[ListenerFailure]:
    return []


@pytest.fixture
def bus(failures: list[ListenerFailure]) -> EventBus:
    """Make a bus whose error handler notes what it is given."""
    return EventBus(on_error=failures.append)


@listener(id="till.fail")
def fail(event: Payment) -> None:
    raise FAILURE


def noting(heard: list[str], name: str) -> Callable[[Payment], None]:
    @listener(id=name)
    def note(event: Payment) -> None:
        heard.append(name)

    return note


def test_s14_handler_is_called_for_each_failure_and_the_rest_run(
    bus: EventBus, failures: list[ListenerFailure]
) -> None:
    heard: list[str] = []
    other = SoldOutError("no soup")

    @listener(id="till.fail_too")
    def fail_too(event: Payment) -> None:
        raise other

    for found in (fail, noting(heard, "second"), fail_too, noting(heard, "last")):
        bus.subscribe(found)

    bus.publish(Payment(7))

    assert heard == ["second", "last"]
    assert failures == [
        ListenerFailure("till.fail", Payment(7), FAILURE),
        ListenerFailure("till.fail_too", Payment(7), other),
    ]


def test_s14_lone_listener_is_guarded_too(bus: EventBus, failures: list[ListenerFailure]) -> None:
    bus.subscribe(fail)

    bus.publish(Payment())

    assert [found.error for found in failures] == [FAILURE]


def test_s14_failure_is_a_value_that_nobody_changes(bus: EventBus, failures: list[ListenerFailure]) -> None:
    bus.subscribe(fail)
    bus.publish(Payment())

    with pytest.raises(FrozenInstanceError):
        failures[0].error = ValueError()  # type: ignore[misc]  # the mistake under test


def test_s14_failure_of_a_replys_listener_is_that_listeners(bus: EventBus, failures: list[ListenerFailure]) -> None:
    heard: list[str] = []

    @listener
    def book(event: Payment) -> Booked:
        return Booked()

    @listener(id="book.fail")
    def fail_booking(event: Booked) -> None:
        raise FAILURE

    for found in (book, fail_booking, noting(heard, "last")):
        bus.subscribe(found)

    bus.publish(Payment())

    assert [(found.listener_id, found.event) for found in failures] == [("book.fail", Booked())]
    assert heard == ["last"]


def test_s14_reply_that_cannot_be_published_is_the_replying_listeners_failure(
    bus: EventBus, failures: list[ListenerFailure]
) -> None:
    @listener(id="till.book")
    def book(event: Payment) -> Booked:
        return Booked()

    @transactional_listener
    def wait(event: Booked) -> None: ...

    bus.subscribe(book)
    bus.subscribe(wait)

    bus.publish(Payment())

    assert [(found.listener_id, type(found.error).__name__) for found in failures] == [
        ("till.book", "NoTransactionError")
    ]


def test_s14_condition_that_raises_is_a_failure_of_its_listener(bus: EventBus, failures: list[ListenerFailure]) -> None:
    @listener(id="till.rich", condition=lambda event: event.amount / 0 > 1)
    def rich(event: Payment) -> None: ...

    bus.subscribe(rich)

    bus.publish(Payment())

    assert [found.listener_id for found in failures] == ["till.rich"]


def test_s14_receivers_of_a_signal_count_as_listeners_one_by_one(
    bus: EventBus, failures: list[ListenerFailure]
) -> None:
    heard: list[Payment] = []

    def refuse(sender: EventBus, event: Payment) -> None:
        raise FAILURE

    def refuse_too(sender: EventBus, event: Payment) -> None:
        raise FAILURE

    def receive(sender: EventBus, event: Payment) -> None:
        heard.append(event)

    for receiver in (refuse, refuse_too, receive):
        bus.signal(Payment).connect(receiver)

    bus.publish(Payment(3))

    assert heard == [Payment(3)]
    assert sorted(found.listener_id for found in failures) == [
        f"{__name__}.{refuse.__qualname__}",
        f"{__name__}.{refuse_too.__qualname__}",
    ]


def test_s14_muted_signal_is_silent_with_a_handler_too(bus: EventBus) -> None:
    heard: list[Payment] = []
    signal = bus.signal(Payment)

    with signal.connected_to(lambda _sender, event: heard.append(event)), signal.muted():
        bus.publish(Payment())

    assert heard == []


def test_s14_async_receiver_is_a_failure(bus: EventBus, failures: list[ListenerFailure]) -> None:
    async def receive(sender: EventBus, event: Payment) -> None: ...

    bus.signal(Payment).connect(receive)

    bus.publish(Payment())

    assert "write `def`" in str(failures[0].error)


def test_s14_what_is_no_exception_but_an_interrupt_passes_the_handler(
    bus: EventBus, failures: list[ListenerFailure]
) -> None:
    @listener
    def interrupt(event: Payment) -> None:
        raise Interrupted

    bus.subscribe(interrupt)

    with pytest.raises(Interrupted):
        bus.publish(Payment())

    assert failures == []


def test_s14_before_commit_listener_rolls_back_with_a_handler_too(
    bus: EventBus, failures: list[ListenerFailure], database: Database
) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def refuse(event: Payment) -> None:
        raise FAILURE

    bus.subscribe(refuse)

    with pytest.raises(SoldOutError), database.transaction():
        add(database, "1")
        bus.publish(Payment())

    assert written(database) == []
    assert failures == []


def test_s14_after_commit_listener_is_logged_with_a_handler_too(
    bus: EventBus, failures: list[ListenerFailure], database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    @transactional_listener(id="till.late")
    def late(event: Payment) -> None:
        raise FAILURE

    bus.subscribe(late)

    with caplog.at_level(logging.ERROR, "bus"), database.transaction():
        bus.publish(Payment())

    assert "listener till.late failed after commit" in caplog.text
    assert failures == []


def test_s14_transactional_listener_that_runs_at_once_is_guarded_as_a_plain_one(
    bus: EventBus, failures: list[ListenerFailure]
) -> None:
    @transactional_listener(id="till.fallback", fallback_execution=True)
    def late(event: Payment) -> None:
        raise FAILURE

    bus.subscribe(late)

    bus.publish(Payment())

    assert [found.listener_id for found in failures] == ["till.fallback"]


def test_s14_swallowed_database_error_still_fails_the_unit_of_work(
    bus: EventBus, failures: list[ListenerFailure], database: Database
) -> None:
    @listener
    def write_twice(event: Payment) -> None:
        add(database, "1")
        add(database, "1")

    bus.subscribe(write_twice)

    with pytest.raises(RollbackOnlyError), database.transaction():
        bus.publish(Payment())

    assert isinstance(failures[0].error, IntegrityError)
    assert written(database) == []


def test_s14_assembled_bus_takes_a_handler_for_published_events_too(
    database: Database, failures: list[ListenerFailure]
) -> None:
    @listener(id="order.fail")
    def fail_order(event: OrderPlaced) -> None:
        raise FAILURE

    bus = assemble([Module("order", contract=[OrderPlaced])], {"order": database}, on_error=failures.append)
    bus.module("order").subscribe(fail_order)

    with database.transaction():
        bus.publish(OrderPlaced("1"))

    assert failures == [ListenerFailure("order.fail", OrderPlaced("1"), FAILURE)]


def test_s15_handler_that_raises_the_error_again_hands_it_to_the_publisher() -> None:
    def again(failure: ListenerFailure) -> None:
        raise failure.error

    heard: list[str] = []
    bus = EventBus(on_error=again)
    bus.subscribe(fail)
    bus.subscribe(noting(heard, "last"))

    with pytest.raises(SoldOutError) as raised:
        bus.publish(Payment())

    assert raised.value is FAILURE
    assert heard == []


def test_s15_what_the_handler_raises_itself_reaches_the_publisher_as_it_is() -> None:
    own = ValueError("the handler's own")

    def refuse(_failure: ListenerFailure) -> None:
        raise own

    bus = EventBus(on_error=refuse)
    bus.subscribe(fail)

    with pytest.raises(ValueError, match="the handler's own") as raised:
        bus.publish(Payment())

    assert raised.value is own


def test_s15_handler_that_raises_rolls_the_transaction_back(database: Database) -> None:
    def again(failure: ListenerFailure) -> None:
        raise failure.error

    bus = EventBus(on_error=again)
    bus.subscribe(fail)

    with pytest.raises(SoldOutError), database.transaction():
        add(database, "1")
        bus.publish(Payment())

    assert written(database) == []
