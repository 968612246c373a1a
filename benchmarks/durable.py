"""What does it cost to publish durably, and to deliver, on SQLite?

    python -m benchmarks.durable

End to end: events published one a transaction, each with one ORM row, to one module listener that writes one
ORM row, until all effects are there; beside the same two transactions written by hand, with no bus.
Publish alone: beside committing the same row without any event, and beside the same transaction with the
event's and the outbox's rows written by hand with Core.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.rounds import medians, verdict
from bus import Database, EventBus, Module, assemble, event, event_view, module_listener
from bus.tables import bus_event, bus_outbox

#: Events in one round, and rounds that count.
EVENTS, ROUNDS = 500, 9


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


class Application:
    """Two modules on two fresh database files, with a bus between them."""

    def __init__(self, folder: Path) -> None:
        self.order = Database("order", f"sqlite:///{folder}/order.db", metadata=OrderTables.metadata)
        self.kitchen = Database("kitchen", f"sqlite:///{folder}/kitchen.db", metadata=KitchenTables.metadata)
        self.order.create_tables()
        self.kitchen.create_tables()
        self.bus = self._bus()

    def publish(self) -> None:
        """Commit a row and publish an event, `EVENTS` times."""
        for _ in range(EVENTS):
            with self.order.transaction():
                order_id = str(uuid.uuid4())
                self.order.session.add(Order(id=order_id, note="a note"))
                self.bus.publish(OrderPlaced(order_id, "a note"))

    def _bus(self) -> EventBus:
        modules = [Module("order", contract=[OrderPlaced]), Module("kitchen", contract=[PlacedOrder])]
        bus = assemble(modules, {"order": self.order, "kitchen": self.kitchen})

        @module_listener("kitchen.open_ticket")
        def open_ticket(event: PlacedOrder) -> None:
            self.kitchen.session.add(Ticket(id=event.order_id, note=event.note))

        bus.module("kitchen").subscribe(open_ticket)
        return bus


def end_to_end(app: Application) -> float:
    """Publish and wait until every effect is there."""
    app.bus.start()
    app.bus.drain()

    def run() -> None:
        app.publish()
        app.bus.drain()

    return rate(run)


def publish_alone(app: Application) -> float:
    """Publish while the runtime stands: nothing else takes the processor."""
    app.bus.stop()
    return rate(app.publish)


def pair_by_hand(app: Application) -> float:
    """The same two transactions, one after the other, with plain SQLAlchemy."""

    def run() -> None:
        for _ in range(EVENTS):
            order_id = str(uuid.uuid4())
            with Session(app.order.engine) as session, session.begin():
                session.add(Order(id=order_id, note="a note"))
            with Session(app.kitchen.engine) as session, session.begin():
                session.add(Ticket(id=order_id, note="a note"))

    return rate(run)


def row_alone(app: Application) -> float:
    """The first of the two transactions: a row and no event."""

    def run() -> None:
        for _ in range(EVENTS):
            with Session(app.order.engine) as session, session.begin():
                session.add(Order(id=str(uuid.uuid4()), note="a note"))

    return rate(run)


def rows_by_hand(app: Application) -> float:
    """The row, and the event's and the outbox's rows written with Core, as a team would write it at home."""

    def run() -> None:
        for _ in range(EVENTS):
            with Session(app.order.engine) as session, session.begin():
                order_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
                session.add(Order(id=order_id, note="a note"))
                session.flush()
                session.execute(insert(bus_event), event_row(event_id, order_id))
                session.execute(insert(bus_outbox), outbox_row(event_id))

    return rate(run)


def event_row(event_id: str, order_id: str) -> dict[str, object]:
    return {
        "id": event_id,
        "name": "order.placed",
        "version": 1,
        "key": order_id,
        "time": time.time_ns() // 1000,
        "correlation_id": event_id,
        "payload": json.dumps({"order_id": order_id, "note": "a note"}).encode(),
    }


def outbox_row(event_id: str) -> dict[str, object]:
    return {"target": "kitchen", "event_id": event_id, "due_at": time.time_ns() // 1000, "sends": 0}


def rate(run: Callable[[], object]) -> float:
    """Return events per second."""
    start = time.perf_counter()
    run()
    return EVENTS / (time.perf_counter() - start)


def in_fresh_folder(measure: Callable[[Application], float]) -> Callable[[], float]:
    def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            app = Application(Path(folder))
            try:
                return measure(app)
            finally:
                app.bus.stop()
                app.order.close()
                app.kitchen.close()

    return run


def main() -> int:
    measures = {f.__name__: f for f in (end_to_end, pair_by_hand, publish_alone, row_alone, rows_by_hand)}
    found = medians({name: in_fresh_folder(measure) for name, measure in measures.items()}, ROUNDS)
    print("events per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in found.items()))
    kept = [
        verdict("end to end / pair by hand", found["end_to_end"] / found["pair_by_hand"], at_least=0.6),
        verdict("publish alone / row alone", found["publish_alone"] / found["row_alone"], at_least=0.6),
        verdict("publish alone / rows by hand", found["publish_alone"] / found["rows_by_hand"], at_least=0.85),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
