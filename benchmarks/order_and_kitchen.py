"""Two modules with a bus between them: an order is placed, and the kitchen opens a ticket; each writes one row."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bus import Database, EventBus, Module, assemble, event, event_view, module_listener

NOTE = "a note"


class OrderTables(DeclarativeBase):
    metadata = MetaData()


class KitchenTables(DeclarativeBase):
    metadata = MetaData()


class Order(OrderTables):
    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str]


class Ticket(KitchenTables):
    __tablename__ = "tickets"
    id: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str]


@event("order.placed", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: str
    note: str


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class PlacedOrder:
    order_id: str
    note: str


MODULES = [
    Module("order", contract=[OrderPlaced], tables=OrderTables.metadata),
    Module("kitchen", contract=[PlacedOrder], tables=KitchenTables.metadata),
]


#: Writes a row with this id into the running unit of work of a database.
Write = Callable[[Database, type[Order] | type[Ticket], str], object]


def by_orm(database: Database, kind: type[Order] | type[Ticket], row_id: str) -> None:
    """Write a row as an object, as most applications do."""
    database.session.add(kind(id=row_id, note=NOTE))


def by_driver(database: Database, kind: type[Order] | type[Ticket], row_id: str) -> None:
    """Write a row with SQL in the words of PostgreSQL's driver, as applications of other queues do."""
    statement = f"INSERT INTO {kind.__tablename__} (id, note) VALUES (%s, %s)"
    database.connection.exec_driver_sql(statement, (row_id, NOTE))


class Application:
    """The two modules, on databases in which nothing is yet; `{module}` in the URL stands for their names."""

    def __init__(self, url: str, write: Write = by_orm) -> None:
        self._write = write
        self.order, self.kitchen = (
            Database(module.name, url.replace("{module}", module.name), metadata=module.tables) for module in MODULES
        )
        self.order.create_tables()
        self.kitchen.create_tables()
        self.bus: EventBus = assemble(MODULES, {"order": self.order, "kitchen": self.kitchen})
        self.bus.module("kitchen").subscribe(self._open_ticket())
        self._tickets: list[float] = []
        self._changed = threading.Condition()
        self.bus.signals.listener_completed.connect(self._note_ticket)

    def place(self, order_id: str | None = None) -> str:
        """Commit a row and publish an event; return their id."""
        order_id = order_id or str(uuid.uuid4())
        with self.order.transaction():
            self._write(self.order, Order, order_id)
            self.bus.publish(OrderPlaced(order_id, NOTE))
        return order_id

    def wait_for(self, tickets: int) -> float:
        """Wait until so many tickets are committed; return when the last of them was, on the monotonic clock."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._tickets) >= tickets, 120)
            return self._tickets[tickets - 1]

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *_error: object) -> None:
        self.bus.stop()
        self.order.close()
        self.kitchen.close()

    def _note_ticket(self, _bus: object, **_details: object) -> None:
        now = time.monotonic()
        with self._changed:
            self._tickets.append(now)
            self._changed.notify_all()

    def _open_ticket(self) -> Callable[[PlacedOrder], None]:
        @module_listener("kitchen.open_ticket")
        def open_ticket(event: PlacedOrder) -> None:
            self._write(self.kitchen, Ticket, event.order_id)

        return open_ticket


@contextmanager
def engine_by_hand(database: Database) -> Iterator[Engine]:
    """Give the engine for transactions written by hand.

    On SQLite it is the bus's own, as its settings are what makes writes safe; on PostgreSQL a plain one, whose sessions
    begin as the bus's do.
    """
    if not database.is_postgresql:
        yield database.engine
        return
    engine = create_engine(database.engine.url)
    try:
        yield engine
    finally:
        engine.dispose()
