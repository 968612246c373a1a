"""An operator's desk: an application whose commands can be called, and events that are delivered by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from click.testing import Result
from flask import Flask

from bus import PermanentFailure, module_listener, operations_of
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.hosting import Surroundings, host
from bus.inbox.retention import RETENTION
from bus.inbox.solitude import Solitude
from bus.integrations.flask import BusExtension
from bus.testing import FakeClock
from tests.durable.shop import OpenedTicket, Shop, WantedDish


class Desk:
    """Calls `flask bus`, and does what the threads of a running bus would do."""

    def __init__(self, shop: Shop, clock: FakeClock) -> None:
        self.shop = shop
        self.clock = clock
        self.app = Flask(__name__)
        BusExtension(shop.bus, self.app)

    def call(self, *arguments: str, answer: str | None = None) -> Result:
        return self.app.test_cli_runner().invoke(args=["bus", *arguments], input=answer)

    def json(self, *arguments: str) -> Any:
        result = self.call(*arguments, "--json")
        assert result.stderr == ""
        return json.loads(result.stdout)

    def place(self, *order_ids: int) -> list[str]:
        """Place orders, each a story of its own, and return the ids of their events."""
        self.shop.place(*order_ids)
        return [event.envelope.id for event in self.history("order").last(len(order_ids))]

    def deliver(self, source: str = "order", target: str = "kitchen", *, acknowledge: bool = True) -> None:
        """Have a module hear everything that another one owes to it."""
        around = Surroundings(self.shop.bus, Solitude(), random.Random(0), RETENTION)
        inbox = host(target, self.shop.databases[target], around).inbox
        inbox.pausing.refresh()
        for event in self.history(source).last(1000):
            if target in event.owed_to:
                inbox.receive(event.envelope, 1)
                if acknowledge:
                    self.shop.outboxes[source].acknowledge([(target, event.envelope.id)])

    def history(self, module: str) -> SqlAlchemyHistoryStore:
        return SqlAlchemyHistoryStore(self.shop.databases[module], self.shop.clock)

    def listen_to_tickets(self) -> None:
        """Have the order listen to what it has a view of."""

        @module_listener("order.note_ticket")
        def note_ticket(event: OpenedTicket) -> None:
            pass

        self.shop.listen(note_ticket, module="order")

    def quarantine(self, data: bytes, module: str = "kitchen") -> str:
        """Have a module receive bytes that are no envelope, and return their digest."""
        store = operations_of(self.shop.bus).modules[module].quarantine
        return store.add(data, origin="a broker", problem="it is no JSON")

    def place_and_deliver(self, *order_ids: int) -> list[str]:
        """Place orders, have the kitchen hear of them, and return the ids of their events."""
        ids = self.place(*order_ids)
        self.deliver()
        return ids


def failing(id: str = "kitchen.open_ticket", *, is_permanent: bool = True) -> Callable[[WantedDish], None]:
    @module_listener(id)
    def open_ticket(event: WantedDish) -> None:
        raise PermanentFailure("no oven") if is_permanent else ValueError("no dough")

    return open_ticket
