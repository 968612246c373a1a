from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import Database, assemble, listener
from bus.integrations.dependency_injector import subscribe_container
from bus.testing import FakeClock, RecordingTransport, stand_ins
from modules.kitchen import module
from modules.kitchen.container import KitchenContainer
from modules.kitchen.contract import OrderAccepted, OrderCancelled, TicketOpened, TicketRefused


class Kitchen:
    """The module alone, and what it has said."""

    def __init__(self, container: KitchenContainer) -> None:
        self.container = container
        self.said: list[object] = []

    def hear(self, news: OrderAccepted | OrderCancelled) -> None:
        listeners = self.container.order_news()
        if isinstance(news, OrderAccepted):
            listeners.open_ticket(news)
        else:
            listeners.void_ticket(news)

    def statuses(self) -> list[object]:
        return [ticket["status"] for ticket in self.container.reader().oldest(100)]

    @listener(TicketOpened, TicketRefused)
    def note(self, said: object) -> None:
        self.said.append(said)


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Kitchen]:
    database = Database("kitchen", f"sqlite:///{tmp_path}/kitchen.db", metadata=module.metadata())
    database.create_tables()
    bus = assemble(
        [module, *stand_ins(module)],
        {"kitchen": database},
        transport=RecordingTransport(),
        clock=FakeClock(),
    )
    own = bus.module("kitchen")
    kitchen = Kitchen(KitchenContainer(database=database, bus=own, clock=bus.clock, ids=bus.ids))
    subscribe_container(bus, "kitchen", kitchen.container)
    own.subscribe(kitchen)
    yield kitchen
    bus.stop()
    database.close()
