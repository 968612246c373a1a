"""A small application of two modules, each on a database of its own: order publishes, kitchen has a view of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, ForeignKey, MetaData, String, Table, insert, select

from bus import Database, Module, assemble, event, event_view, listener
from bus.transport.base import Transport


@event("order.placed", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: str
    quantity: int = 1


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class PlacedOrder:
    order_id: str


@event("kitchen.ticket_opened", key="order_id")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    order_id: str


orders_metadata = MetaData()
orders = Table("orders", orders_metadata, Column("id", String, primary_key=True))
#: Its foreign key is checked by COMMIT itself, so that a test can have a commit fail.
lines = Table(
    "lines",
    orders_metadata,
    Column("order_id", ForeignKey("orders.id", deferrable=True, initially="DEFERRED"), primary_key=True),
)
tickets_metadata = MetaData()
tickets = Table("tickets", tickets_metadata, Column("id", String, primary_key=True))


class Shop:
    def __init__(self, where: Path | str, transport: str | Transport = "inprocess://") -> None:
        url = where if isinstance(where, str) else f"sqlite:///{where}/{{module}}.db"
        self.order = Database("order", url.format(module="order"), metadata=orders_metadata, workers=1)
        self.kitchen = Database("kitchen", url.format(module="kitchen"), metadata=tickets_metadata, workers=1)
        for database in (self.order, self.kitchen):
            database.create_tables()
        modules = [Module("order", contract=[OrderPlaced]), Module("kitchen", contract=[PlacedOrder, TicketOpened])]
        self.bus = assemble(modules, {"order": self.order, "kitchen": self.kitchen}, transport=transport)
        self.order_bus = self.bus.module("order")
        self.kitchen_bus = self.bus.module("kitchen")

    def place(self, *order_ids: str) -> None:
        """Publish an order each, in one transaction."""
        with self.order.transaction():
            for order_id in order_ids:
                self.order_bus.publish(OrderPlaced(order_id))

    def place_at_depth(self, depth: int) -> None:
        """Publish an order whose chain of causes has that many events, with itself."""

        @listener
        def again(event: OrderPlaced) -> OrderPlaced | None:
            return OrderPlaced(event.order_id, event.quantity - 1) if event.quantity > 1 else None

        self.order_bus.subscribe(again)
        with self.order.transaction():
            self.order_bus.publish(OrderPlaced("deep", depth))

    def close(self) -> None:
        self.bus.close()
        for database in (self.order, self.kitchen):
            database.close()


def add(database: Database, id: str, table: Table = orders) -> None:
    """Write a row in the running unit of work."""
    database.session.execute(insert(table).values([id]))


def written(database: Database, table: Table = orders) -> list[str]:
    """Return the first column of every committed row, sorted."""
    with database.read() as session:
        found: Iterable[str] = session.scalars(select(table))
        return sorted(found)
