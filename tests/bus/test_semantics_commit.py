"""T11, T12, T14: publishing and writing around the commit."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import count

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, registry

from bus import (
    BusError,
    CascadeError,
    Database,
    Envelope,
    EventBus,
    NoTransactionError,
    Phase,
    transactional_listener,
)
from bus.tables import bus_event
from tests.bus.shop import OrderPlaced, Shop, add, orders, orders_metadata, written


@dataclass(frozen=True)
class StockChanged:
    sku: str = "ramen"


@dataclass(frozen=True)
class StockCounted:
    sku: str = "ramen"


def hearing(bus: EventBus, phase: Phase = Phase.AFTER_COMMIT) -> list[str]:
    """Return a list that fills with what changed, in this phase."""
    heard: list[str] = []

    @transactional_listener(phase=phase)
    def note(event: StockChanged) -> None:
        heard.append(event.sku)

    bus.subscribe(note)
    return heard


def test_t11_published_event_after_commit_without_a_unit_of_its_own_is_a_logged_error(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    @transactional_listener
    def publish(event: StockChanged) -> None:
        shop.order_bus.publish(OrderPlaced("late"))

    shop.order_bus.subscribe(publish)

    with shop.order.transaction():
        shop.bus.publish(StockChanged())

    errors = [record.exc_info for record in caplog.records if record.levelno == logging.ERROR]
    assert [error[0] for error in errors if error] == [NoTransactionError]
    assert written(shop.order, bus_event) == []


def test_t11_published_event_after_commit_is_recorded_in_a_unit_of_its_own(shop: Shop) -> None:
    @transactional_listener
    def publish(event: StockChanged) -> None:
        shop.place("late")

    shop.order_bus.subscribe(publish)

    with shop.order.transaction():
        shop.bus.publish(StockChanged())

    assert len(written(shop.order, bus_event)) == 1


def test_t11_committed_events_are_handed_over_before_the_after_commit_listeners(shop: Shop) -> None:
    heard: list[str] = []

    def announced(sender: object, envelope: Envelope) -> None:
        heard.append(f"handed over: {envelope.subject}")

    @transactional_listener
    def note(event: OrderPlaced) -> None:
        heard.append(f"after commit: {event.order_id}")

    shop.bus.signals.published.connect(announced)
    shop.order_bus.subscribe(note)

    shop.place("1", "2")

    assert heard == ["handed over: 1", "handed over: 2", "after commit: 1", "after commit: 2"]


@pytest.mark.parametrize("phase", [Phase.BEFORE_COMMIT, Phase.AFTER_COMMIT])
def test_t12_event_published_before_commit_is_delivered_too(bus: EventBus, database: Database, phase: Phase) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def change(event: StockCounted) -> None:
        bus.publish(StockChanged(event.sku))

    bus.subscribe(change)
    heard = hearing(bus, phase)

    with database.transaction():
        bus.publish(StockCounted("ramen"))

    assert heard == ["ramen"]


def test_t12_published_event_of_a_before_commit_listener_is_recorded(shop: Shop) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def place(event: StockChanged) -> None:
        shop.order_bus.publish(OrderPlaced("1"))

    shop.order_bus.subscribe(place)

    with shop.order.transaction():
        shop.bus.publish(StockChanged())

    assert len(written(shop.order, bus_event)) == 1


def test_t12_chain_of_before_commit_listeners_is_drained_until_it_ends(bus: EventBus, database: Database) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def shorten(event: StockChanged) -> None:
        if len(event.sku) > 1:
            bus.publish(StockChanged(event.sku[1:]))

    bus.subscribe(shorten)
    heard = hearing(bus, Phase.BEFORE_COMMIT)

    with database.transaction():
        bus.publish(StockChanged("ramen"))

    assert heard == ["ramen", "amen", "men", "en", "n"]


def test_t12_listeners_that_go_on_publishing_are_stopped_with_an_error_and_a_rollback(
    bus: EventBus, database: Database
) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def again(event: StockChanged) -> None:
        bus.publish(StockChanged())

    bus.subscribe(again)

    with pytest.raises(CascadeError, match="StockChanged → StockChanged"), database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert written(database) == []


def test_t12_flushes_and_listeners_that_go_on_causing_one_another_are_stopped(
    bus: EventBus, database: Database
) -> None:
    class Order:
        def __init__(self, id: str) -> None:
            self.id = id

    registry(metadata=orders_metadata).map_imperatively(Order, orders)

    @transactional_listener(phase=Phase.BEFORE_COMMIT, id="stock.write")
    def write(event: StockChanged) -> None:
        database.session.add(Order(event.sku))

    bus.subscribe(write)

    with pytest.raises(BusError, match=r"go on publishing.*stock\.write"), database.transaction():
        numbers = map(str, count())
        sqlalchemy_event.listen(database.session, "after_flush", lambda *_: bus.publish(StockChanged(next(numbers))))
        bus.publish(StockChanged())

    assert written(database) == []


def test_t12_event_for_a_bus_that_had_its_turn_before_commit_is_delivered_too(database: Database) -> None:
    first, second = EventBus(), EventBus()
    heard = hearing(first, Phase.BEFORE_COMMIT)

    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def answer(event: StockCounted) -> None:
        first.publish(StockChanged("answer"))

    second.subscribe(answer)

    with database.transaction():
        first.publish(StockChanged("question"))
        second.publish(StockCounted())

    assert heard == ["question", "answer"]


def test_t14_session_of_the_finished_unit_is_gone_in_an_after_commit_listener(
    bus: EventBus, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    @transactional_listener
    def write(event: StockChanged) -> None:
        add(database, "late")

    bus.subscribe(write)

    with database.transaction():
        bus.publish(StockChanged())

    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [NoTransactionError]
    assert written(database) == []


def test_t14_finished_session_that_somebody_kept_refuses_to_work(bus: EventBus, database: Database) -> None:
    kept: list[Session] = []
    refused: list[bool] = []

    @transactional_listener
    def write(event: StockChanged) -> None:
        with pytest.raises(InvalidRequestError):
            kept[0].connection()
        refused.append(True)

    bus.subscribe(write)

    with database.transaction():
        kept.append(database.session)
        bus.publish(StockChanged())

    assert refused == [True]


def test_t14_after_commit_listener_writes_in_a_transaction_of_its_own(bus: EventBus, database: Database) -> None:
    @transactional_listener
    def write(event: StockChanged) -> None:
        with database.transaction():
            add(database, "late")

    bus.subscribe(write)

    with database.transaction():
        bus.publish(StockChanged())

    assert written(database) == ["late"]
