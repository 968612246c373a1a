from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus import Database, EventBus
from tests.bus.shop import Shop, orders_metadata


@pytest.fixture
def bus() -> EventBus:
    """Make a bus without modules: it carries application events."""
    return EventBus()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Make the database of one module with its tables, on either database in turn."""
    database = Database("order", database_url.format(module="order"), metadata=orders_metadata)
    database.create_tables()
    yield database
    database.close()


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Make an application of two modules, on either database in turn; it starts with the first drain."""
    shop = Shop(database_url)
    yield shop
    shop.close()
