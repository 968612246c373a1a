from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.shop import Shop


@pytest.fixture(autouse=True)
def no_shop_is_left() -> Iterator[None]:
    """Close what a failed test has left: its threads would take what the next one publishes on the same databases."""
    yield
    for shop in list(Shop.standing):
        shop.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shop(database_url: str, clock: FakeClock) -> Iterator[Shop]:
    """Return a shop on either database in turn; one worker runs a module's listeners, so that they have an order."""
    shop = Shop(database_url, clock=clock, workers=1)
    yield shop
    shop.close()


@pytest.fixture
def belt(shop: Shop) -> Belt:
    return Belt(shop)
