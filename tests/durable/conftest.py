from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.shop import Shop


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def shop(tmp_path: Path, clock: FakeClock) -> Iterator[Shop]:
    shop = Shop(tmp_path, clock=clock)
    yield shop
    shop.close()


@pytest.fixture
def belt(shop: Shop) -> Belt:
    return Belt(shop)
