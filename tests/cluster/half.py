"""One module of the shop in a process of its own: the order places orders, the kitchen opens tickets, over a broker.

Usage: python -m tests.cluster.half MODULE DATABASE_URL BROKER_URL APPLICATION FOLDER

It dies where BUS_FAILPOINTS says, or works until it is ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from bus import Database, EventBus, assemble
from bus.failpoint import arm_from_environment
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.durable.crashing import ShiftedClock, note_tickets, open_tickets
from tests.durable.shop import KITCHEN, ORDER, TABLES, Order, OrderPlaced, Undelayed

#: The orders, each in a transaction of its own.
ORDERS = range(10, 22)


@contextmanager
def half(module: str, url: str, broker_url: str, application: str) -> Iterator[tuple[EventBus, Database]]:
    """Host one module, and run it for the length of a block."""
    database = Database(module, url, metadata=TABLES[module])
    database.create_tables()
    transport = DramatiqTransport(broker_url, application=application, threads=2)
    clock = ShiftedClock(hours=1)
    bus = assemble([ORDER, KITCHEN], {module: database}, transport=transport, clock=clock, random_source=Undelayed())
    {"order": note_tickets, "kitchen": open_tickets}[module](bus, database)
    bus.start()
    try:
        yield bus, database
    finally:
        bus.stop(grace=5.0)
        database.close()


def place_all(bus: EventBus, order: Database, folder: Path) -> None:
    """Place the orders, and journal each whose commit was seen."""
    with (folder / "journal").open("w", buffering=1) as written:
        for order_id in ORDERS:
            with order.transaction() as unit:
                unit.session.add(Order(id=order_id, note="margherita"))
                bus.publish(OrderPlaced(order_id))
            written.write(f"{order_id}\n")


def main() -> None:
    module, url, broker_url, application, folder = sys.argv[1:]
    arm_from_environment(os.environ)
    with half(module, url, broker_url, application) as (bus, database):
        if module == "order":
            place_all(bus, database, Path(folder))
        Event().wait()


if __name__ == "__main__":
    main()
