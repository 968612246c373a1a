"""B06, B07: what is recorded, and who may publish what, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bus import (
    Database,
    ForeignEventError,
    Module,
    NoTransactionError,
    assemble,
    event,
    listener,
)
from bus.tables import bus_event
from tests.bus.shop import OrderPlaced, PlacedOrder, Shop, TicketOpened, orders_metadata, written


@dataclass(frozen=True)
class Payment:
    amount: int = 1


@event("order.forgotten")
@dataclass(frozen=True)
class OrderForgotten:
    """Stands in nobody's contract."""

    order_id: str


class SoldOutError(Exception):
    pass


def test_b06_application_event_needs_no_transaction_and_is_not_recorded(shop: Shop) -> None:
    shop.order_bus.publish(Payment())
    with shop.order.transaction():
        shop.order_bus.publish(Payment())

    assert written(shop.order, bus_event) == []


def test_b06_published_event_is_recorded_though_nobody_listens(tmp_path: Path) -> None:
    order = Database("order", f"sqlite:///{tmp_path}/order.db", metadata=orders_metadata)
    order.create_tables()
    bus = assemble([Module("order", contract=[OrderPlaced])], {"order": order})

    with order.transaction():
        bus.module("order").publish(OrderPlaced("1", quantity=2))

    with order.read() as session:
        (row,) = session.execute(bus_event.select()).mappings()
    order.close()
    assert (row["name"], row["version"], row["key"]) == ("order.placed", 1, "1")
    assert row["payload"] == b'{"order_id":"1","quantity":2}'


def test_b06_published_event_of_a_rolled_back_transaction_is_not_recorded(shop: Shop) -> None:
    with pytest.raises(SoldOutError), shop.order.transaction():
        shop.order_bus.publish(OrderPlaced("1"))
        raise SoldOutError

    assert written(shop.order, bus_event) == []


def test_b07_published_event_outside_a_unit_of_work_is_an_error_that_shows_the_mend(shop: Shop) -> None:
    with pytest.raises(NoTransactionError) as refused:
        shop.order_bus.publish(OrderPlaced("1"))

    assert "'order.placed'" in str(refused.value)
    assert "with database.transaction():" in str(refused.value)
    assert "@transactional" in str(refused.value)


def test_b07_unit_of_work_of_another_module_does_not_count(shop: Shop) -> None:
    with shop.order.transaction(), shop.kitchen.transaction(), pytest.raises(NoTransactionError, match="'order'"):
        shop.order_bus.publish(OrderPlaced("1"))

    assert written(shop.kitchen, bus_event) == []


def test_b07_refused_event_does_not_reach_its_plain_listeners(shop: Shop) -> None:
    heard: list[OrderPlaced] = []

    @listener
    def hear(event: OrderPlaced) -> None:
        heard.append(event)

    shop.order_bus.subscribe(hear)

    with pytest.raises(NoTransactionError):
        shop.order_bus.publish(OrderPlaced("1"))

    assert heard == []


@pytest.mark.parametrize("foreign", [OrderPlaced("1"), PlacedOrder("1")], ids=["event", "view"])
def test_b07_module_cannot_publish_what_another_module_states(shop: Shop, foreign: object) -> None:
    publisher = shop.kitchen_bus if isinstance(foreign, OrderPlaced) else shop.order_bus

    with shop.order.transaction(), shop.kitchen.transaction(), pytest.raises(ForeignEventError) as refused:
        publisher.publish(foreign)

    assert type(foreign).__name__ in str(refused.value)
    assert "publish an event of your own" in str(refused.value)


def test_b07_view_is_nothing_that_its_own_module_publishes(shop: Shop) -> None:
    with shop.kitchen.transaction(), pytest.raises(ForeignEventError):
        shop.kitchen_bus.publish(PlacedOrder("1"))


def test_b07_event_in_no_modules_contract_is_refused(shop: Shop) -> None:
    with shop.order.transaction(), pytest.raises(ForeignEventError, match="put its class into the contract"):
        shop.bus.publish(OrderForgotten("1"))


def test_b07_each_module_publishes_its_own_events_in_its_own_unit(shop: Shop) -> None:
    with shop.order.transaction():
        shop.order_bus.publish(OrderPlaced("1"))
        with shop.kitchen.transaction():
            shop.kitchen_bus.publish(TicketOpened("1"))

    assert [len(written(database, bus_event)) for database in (shop.order, shop.kitchen)] == [1, 1]
