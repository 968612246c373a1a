from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus import Database, Module, assemble, event, listener
from bus.testing import FakeClock, RecordingTransport
from modules.order import module
from modules.order.container import OrderContainer
from modules.order.contract import OrderCancelled, OrderCompleted, OrderPlaced, Total


@event("restaurant.order_accepted")
@dataclass(frozen=True, slots=True)
class Accepted:
    """What order hears of restaurant, as restaurant would say it."""

    order_id: str
    total: Total


@event("restaurant.order_rejected")
@dataclass(frozen=True, slots=True)
class Rejected:
    """What order hears of restaurant, as restaurant would say it."""

    order_id: str
    reason: str


@event("kitchen.ticket_opened")
@dataclass(frozen=True, slots=True)
class Opened:
    """What order hears of kitchen, as kitchen would say it."""

    order_id: str


@event("kitchen.ticket_refused")
@dataclass(frozen=True, slots=True)
class Refused:
    """What order hears of kitchen, as kitchen would say it."""

    order_id: str
    reason: str


@event("kitchen.preparation_started")
@dataclass(frozen=True, slots=True)
class Started:
    """What order hears of kitchen, as kitchen would say it."""

    order_id: str


@event("kitchen.order_ready")
@dataclass(frozen=True, slots=True)
class Ready:
    """What order hears of kitchen, as kitchen would say it."""

    order_id: str


NEIGHBOURS = (
    Module("restaurant", contract=[Accepted, Rejected]),
    Module("kitchen", contract=[Opened, Refused, Started, Ready]),
)


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
    bus = assemble([module, *NEIGHBOURS], {"order": database}, transport=RecordingTransport(), clock=clock)
    own = bus.module("order")
    alone = OrderAlone(OrderContainer(database=database, bus=own, clock=bus.clock, ids=bus.ids))
    own.subscribe(alone)
    yield alone
    bus.stop()
    database.close()
