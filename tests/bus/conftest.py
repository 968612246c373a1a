from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import Database, EventBus
from tests.bus.shop import Shop, orders_metadata


@pytest.fixture
def bus() -> EventBus:
    """Make a bus without modules: it carries application events."""
    return EventBus()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Make the database of one module, on a file, with its tables."""
    database = Database("order", f"sqlite:///{tmp_path}/alone.db", metadata=orders_metadata)
    database.create_tables()
    yield database
    database.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Make an application of two modules; it starts with the first drain."""
    shop = Shop(tmp_path)
    yield shop
    shop.close()
