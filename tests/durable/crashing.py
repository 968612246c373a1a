"""Place orders, journal each commit that was seen, and wait for the deliveries; dies where BUS_FAILPOINTS says.

Usage: python -m tests.durable.crashing FOLDER URL
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bus import Database, EventBus, current_delivery, module_listener
from bus.clock import to_microseconds
from bus.failpoint import arm_from_environment
from tests.durable.shop import Answer, OpenedTicket, Shop, Ticket, TicketOpened, WantedDish


class ShiftedClock:
    """The machine's clock, some hours on: what the process before has taken is due already."""

    def __init__(self, hours: int) -> None:
        self._shift = timedelta(hours=hours)

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC) + self._shift

    def microseconds(self) -> int:
        return to_microseconds(self.now())


def open_tickets(bus: EventBus, kitchen: Database) -> None:
    """Have the kitchen open a ticket for each order, at the second try for some."""

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        delivery = current_delivery()
        kitchen.session.add(Ticket(order_id=event.order_id))
        bus.publish(TicketOpened(event.order_id))
        if event.order_id % 4 == 0 and delivery is not None and delivery.attempt == 1:
            raise ValueError("no dough")

    bus.module("kitchen").subscribe(open_ticket)


def note_tickets(bus: EventBus, order: Database) -> None:
    """Have the order note its ticket."""

    @module_listener("order.note_ticket")
    def note_ticket(event: OpenedTicket) -> None:
        order.session.add(Answer(order_id=event.order_id))

    bus.module("order").subscribe(note_ticket)


def listen(shop: Shop) -> None:
    """Have both of them listen to the other."""
    open_tickets(shop.bus, shop.kitchen)
    note_tickets(shop.bus, shop.order)


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    arm_from_environment(os.environ)
    shop = Shop(url, clock=ShiftedClock(hours=1))
    listen(shop)
    with (folder / "journal").open("w", buffering=1) as journal:
        for order_id in range(10, 30):
            shop.place(order_id)
            journal.write(f"{order_id}\n")
            if order_id == 19:
                shop.bus.drain()
    shop.bus.drain()
    shop.close()


if __name__ == "__main__":
    main()
