"""T13, T16: savepoints, and units of work that are joined."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bus import (
    Database,
    EventBus,
    RollbackOnlyError,
    listener,
    transactional,
    transactional_listener,
)
from bus.tables import bus_event
from tests.bus.shop import OrderPlaced, Shop, add, written


@dataclass(frozen=True)
class StockChanged:
    sku: str = "ramen"


@dataclass(frozen=True)
class StockCounted:
    sku: str = "ramen"


class SoldOutError(Exception):
    pass


class StockService:
    def __init__(self, database: Database, bus: EventBus) -> None:
        self.database = database
        self.bus = bus

    @transactional
    def change(self, sku: str) -> None:
        add(self.database, sku)
        self.bus.publish(StockChanged(sku))

    @transactional
    def change_all(self, *skus: str) -> None:
        for sku in skus:
            self.change(sku)

    @transactional
    def sell_out(self) -> None:
        self.bus.publish(StockChanged("sold out"))
        raise SoldOutError


def hearing(bus: EventBus) -> list[str]:
    """Return a list that fills with what changed, after the commit."""
    heard: list[str] = []

    @transactional_listener
    def note(event: StockChanged) -> None:
        heard.append(event.sku)

    bus.subscribe(note)
    return heard


def test_t13_events_of_a_rolled_back_savepoint_are_dropped_with_it(bus: EventBus, database: Database) -> None:
    heard = hearing(bus)

    with database.transaction():
        bus.publish(StockChanged("before"))
        with pytest.raises(SoldOutError), database.savepoint():
            bus.publish(StockChanged("inside"))
            raise SoldOutError
        bus.publish(StockChanged("after"))

    assert heard == ["before", "after"]


def test_t13_published_events_of_a_rolled_back_savepoint_are_not_recorded(shop: Shop) -> None:
    with shop.order.transaction():
        shop.order_bus.publish(OrderPlaced("before"))
        with pytest.raises(SoldOutError), shop.order.savepoint():
            shop.order_bus.publish(OrderPlaced("inside"))
            raise SoldOutError

    with shop.order.read() as session:
        assert list(session.scalars(bus_event.select().with_only_columns(bus_event.c.key))) == ["before"]


def test_t13_events_of_a_kept_savepoint_are_delivered(bus: EventBus, database: Database) -> None:
    heard = hearing(bus)

    with database.transaction(), database.savepoint():
        bus.publish(StockChanged("inside"))

    assert heard == ["inside"]


def test_t13_outer_savepoint_takes_the_events_of_the_inner_one_with_it(bus: EventBus, database: Database) -> None:
    heard = hearing(bus)

    with database.transaction():
        with pytest.raises(SoldOutError), database.savepoint():
            with database.savepoint():
                bus.publish(StockChanged("inner"))
            raise SoldOutError
        bus.publish(StockChanged("outside"))

    assert heard == ["outside"]


def test_t13_savepoint_of_the_session_itself_counts_as_well(bus: EventBus, database: Database) -> None:
    heard = hearing(bus)

    with database.transaction():
        savepoint = database.session.begin_nested()
        bus.publish(StockChanged("inside"))
        savepoint.rollback()
        bus.publish(StockChanged("after"))

    assert heard == ["after"]


def test_t16_joined_calls_deliver_once_and_at_the_outermost_commit(bus: EventBus, database: Database) -> None:
    service = StockService(database, bus)
    heard = hearing(bus)

    with database.transaction():
        service.change_all("ramen", "gyoza")
        heard_inside = list(heard)

    assert heard_inside == []
    assert heard == ["ramen", "gyoza"]
    assert written(database) == ["gyoza", "ramen"]


def test_t16_outermost_transactional_method_commits(bus: EventBus, database: Database) -> None:
    heard = hearing(bus)

    StockService(database, bus).change_all("ramen", "gyoza")

    assert heard == ["ramen", "gyoza"]


def test_t16_swallowed_failure_of_a_joined_call_still_rolls_the_whole_back(bus: EventBus, database: Database) -> None:
    service = StockService(database, bus)
    heard = hearing(bus)

    with pytest.raises(RollbackOnlyError) as refused, database.transaction():
        service.change("ramen")
        with pytest.raises(SoldOutError):
            service.sell_out()

    assert isinstance(refused.value.__cause__, SoldOutError)
    assert heard == []
    assert written(database) == []


def test_t16_failure_of_a_joined_call_in_a_savepoint_takes_only_that_part_back(
    bus: EventBus, database: Database
) -> None:
    service = StockService(database, bus)
    heard = hearing(bus)

    with database.transaction():
        service.change("ramen")
        with pytest.raises(SoldOutError), database.savepoint():
            service.sell_out()

    assert heard == ["ramen"]


def test_t16_unit_of_another_database_inside_commits_on_its_own(shop: Shop) -> None:
    seen: list[str] = []

    @transactional_listener
    def note(event: StockChanged) -> None:
        seen.append(event.sku)

    @listener
    def look(event: StockCounted) -> None:
        seen.append("outer goes on")

    shop.order_bus.subscribe(note)
    shop.order_bus.subscribe(look)

    with shop.order.transaction():
        with shop.kitchen.transaction():
            shop.bus.publish(StockChanged("inner"))
        shop.bus.publish(StockCounted())

    assert seen == ["inner", "outer goes on"]
