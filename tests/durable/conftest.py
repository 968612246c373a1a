from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.shop import Shop


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
