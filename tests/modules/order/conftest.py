from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import Database, assemble, listener
from bus.integrations.dependency_injector import subscribe_container
from bus.testing import FakeClock, RecordingTransport, stand_ins
from modules.order import module
from modules.order.container import OrderContainer
from modules.order.contract import OrderCancelled, OrderCompleted, OrderPlaced


class OrderAlone:
    """The module alone, and what it has said."""

    def __init__(self, container: OrderContainer) -> None:
        self.container = container
        self.said: list[object] = []

    @listener(OrderPlaced, OrderCancelled, OrderCompleted)
    def note(self, said: object) -> None:
        self.said.append(said)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def order(tmp_path: Path, clock: FakeClock) -> Iterator[OrderAlone]:
    database = Database("order", f"sqlite:///{tmp_path}/order.db", metadata=module.metadata())
    database.create_tables()
    bus = assemble([module, *stand_ins(module)], {"order": database}, transport=RecordingTransport(), clock=clock)
    own = bus.module("order")
    alone = OrderAlone(OrderContainer(database=database, bus=own, clock=bus.clock, ids=bus.ids))
    subscribe_container(bus, "order", alone.container)
    own.subscribe(alone)
    yield alone
    bus.stop()
    database.close()
