from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk
from tests.durable.shop import Shop


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open a shop of two modules, with nothing running in it."""
    clock = FakeClock()
    shop = Shop(tmp_path, clock=clock)
    yield Desk(shop, clock)
    shop.close()


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have click's runner claim that somebody sits before it."""
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _stream: True, raising=False)
