"""A transport that delivers everything twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.testing import RepeatingTransport
from bus.transport.inprocess import InProcessTransport
from tests.durable.shop import Shop


@pytest.fixture(params=[False, True], ids=["in a row", "after all"])
def transport(request: pytest.FixtureRequest) -> RepeatingTransport:
    return RepeatingTransport(InProcessTransport(), after_all=request.param)


@pytest.fixture
def twice(tmp_path: Path, transport: RepeatingTransport) -> Iterator[Shop]:
    shop = Shop(tmp_path, transport=transport)
    yield shop
    shop.close()


def test_effects_happen_once_though_every_event_comes_twice(twice: Shop, transport: RepeatingTransport) -> None:
    twice.open_tickets()

    twice.place(1, 2, 3)
    twice.bus.drain()

    assert twice.tickets() == [1, 2, 3]
    assert transport.repeated == 3
