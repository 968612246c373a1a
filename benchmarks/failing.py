"""What does a listener that always fails cost the others?

    python -m benchmarks.failing

Events are published one a transaction; the time is taken until the last of them has its ticket. Beside the listener
that opens the tickets a second one hears each event: it writes a row, or it always fails, in the same module or in a
third one. A thousand dead letters of it lie there already.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.rounds import medians, verdict
from bus import Database, EventBus, Module, assemble, event, event_view, module_listener
from bus.tables import bus_inbox

#: Events in one round, and rounds that count.
EVENTS, ROUNDS = 1500, 7

#: Dead letters that lie in the inbox before the first event.
DEAD = 1000


class OrderTables(DeclarativeBase):
    metadata = MetaData()


class KitchenTables(DeclarativeBase):
    metadata = MetaData()


class BillTables(DeclarativeBase):
    metadata = MetaData()


class Ticket(KitchenTables):
    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(primary_key=True)


class Note(KitchenTables):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)


class Invoice(BillTables):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)


@event("order.placed", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class WantedDish:
    order_id: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class OwedSum:
    order_id: int


MODULES = [
    Module("order", contract=[OrderPlaced], tables=OrderTables.metadata),
    Module("kitchen", contract=[WantedDish], tables=KitchenTables.metadata),
    Module("bill", contract=[OwedSum], tables=BillTables.metadata),
]


class Application:
    """Three modules on three fresh files; the kitchen opens a ticket for each order."""

    def __init__(self, folder: Path) -> None:
        self.databases = {
            module.name: Database(module.name, f"sqlite:///{folder}/{module.name}.db", metadata=module.tables)
            for module in MODULES
        }
        for database in self.databases.values():
            database.create_tables()
        self.bus: EventBus = assemble(MODULES, self.databases)
        self.done = threading.Event()
        self._left = EVENTS
        self.bus.module("kitchen").subscribe(self._ticket_listener())
        self.bus.signals.listener_completed.connect(self._count)

    def also_in_the_kitchen(self, *, fails: bool) -> None:
        """Add a second listener in the module of the tickets."""

        @module_listener("kitchen.second")
        def second(event: WantedDish) -> None:
            if fails:
                raise ConnectionError("the printer does not answer")
            self.databases["kitchen"].session.add(Note(id=event.order_id))

        self._add("kitchen", second)

    def also_in_another_module(self, *, fails: bool) -> None:
        """Add a second listener in a module of its own."""

        @module_listener("bill.second")
        def second(event: OwedSum) -> None:
            if fails:
                raise ConnectionError("the bank does not answer")
            self.databases["bill"].session.add(Invoice(id=event.order_id))

        self._add("bill", second)

    def tickets_per_second(self) -> float:
        """Publish everything, and wait for the last ticket."""
        self.bus.start()
        begun = time.perf_counter()
        for number in range(1, EVENTS + 1):
            with self.databases["order"].transaction():
                self.bus.publish(OrderPlaced(number))
        assert self.done.wait(300)
        return EVENTS / (time.perf_counter() - begun)

    def close(self) -> None:
        """End the threads, and close the files."""
        self.bus.stop()
        for database in self.databases.values():
            database.close()

    def _add(self, module: str, second: Callable[..., None]) -> None:
        self.bus.module(module).subscribe(second)
        dead = {"listener": f"{module}.second", "state": "dead", "reason": "failed", "failures": 20, "crashes": 0}
        rows = [{**dead, "event_id": f"dead-{n}", "starts": 20, "due_at": n} for n in range(DEAD)]
        with self.databases[module].write() as connection:
            connection.execute(insert(bus_inbox), rows)

    def _ticket_listener(self) -> Callable[[WantedDish], None]:
        @module_listener("kitchen.open_ticket")
        def open_ticket(event: WantedDish) -> None:
            self.databases["kitchen"].session.add(Ticket(id=event.order_id))

        return open_ticket

    def _count(self, _bus: object, *, listener_id: str, **_details: object) -> None:
        if listener_id == "kitchen.open_ticket":
            self._left -= 1
            if not self._left:
                self.done.set()


def sibling_well(app: Application) -> None:
    app.also_in_the_kitchen(fails=False)


def sibling_failing(app: Application) -> None:
    app.also_in_the_kitchen(fails=True)


def neighbour_well(app: Application) -> None:
    app.also_in_another_module(fails=False)


def neighbour_failing(app: Application) -> None:
    app.also_in_another_module(fails=True)


def in_fresh_folder(prepare: Callable[[Application], None]) -> Callable[[], float]:
    def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            app = Application(Path(folder))
            try:
                prepare(app)
                return app.tickets_per_second()
            finally:
                app.close()

    return run


def main() -> int:
    # What the listeners log is the same text again and again, and a terminal would be part of the measurement.
    logging.getLogger("bus").addHandler(logging.NullHandler())
    measures = (sibling_well, sibling_failing, neighbour_well, neighbour_failing)
    found = medians({measure.__name__: in_fresh_folder(measure) for measure in measures}, ROUNDS)
    print("tickets per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in found.items()))
    kept = [
        verdict("in the same module, failing / well", found["sibling_failing"] / found["sibling_well"], at_least=0.95),
        verdict("in another, failing / well", found["neighbour_failing"] / found["neighbour_well"], at_least=0.95),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
