from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus import Database, assemble, listener
from bus.integrations.dependency_injector import subscribe_container
from bus.testing import RecordingTransport, stand_ins
from modules.restaurant import module
from modules.restaurant.container import RestaurantContainer
from modules.restaurant.contract import (
    OrderAccepted,
    OrderCancelled,
    OrderPlaced,
    OrderRejected,
    TicketRefused,
)

News = OrderPlaced | OrderCancelled | TicketRefused


class RestaurantAlone:
    """The module alone with the demo menu, and what it has said."""

    def __init__(self, container: RestaurantContainer) -> None:
        self.container = container
        self.said: list[object] = []

    def hear(self, news: News) -> None:
        if isinstance(news, OrderPlaced):
            self.container.order_news().serve_order(news)
        elif isinstance(news, OrderCancelled):
            self.container.order_news().restock_cancelled_order(news)
        else:
            self.container.kitchen_news().restock_refused_order(news)

    def stock(self, sku: str) -> int:
        menu: list[dict[str, Any]] = self.container.reader().menu("demo", 100)
        return next(int(dish["stock"]) for dish in menu if dish["sku"] == sku)

    @listener(OrderAccepted, OrderRejected)
    def note(self, said: object) -> None:
        self.said.append(said)


@pytest.fixture
def restaurant(tmp_path: Path) -> Iterator[RestaurantAlone]:
    url = f"sqlite:///{tmp_path}/restaurant.db"
    database = Database("restaurant", url, metadata=module.metadata())
    database.create_tables()
    bus = assemble([module, *stand_ins(module)], {"restaurant": database}, transport=RecordingTransport())
    own = bus.module("restaurant")
    alone = RestaurantAlone(RestaurantContainer(database=database, bus=own))
    subscribe_container(bus, "restaurant", alone.container)
    alone.container.seed().run()
    own.subscribe(alone)
    yield alone
    bus.stop()
    database.close()
