"""Deliver what a shop owes, beside another process on the same files; each listener fails once for each order.

Usage: python -m tests.durable.draining FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from bus import SystemClock, current_delivery, module_listener
from tests.durable.faults import PATIENT
from tests.durable.shop import Shop, Ticket, WantedDish


def main() -> None:
    shop = Shop(Path(sys.argv[1]), clock=SystemClock())

    @module_listener("kitchen.open_ticket", retry=PATIENT)
    def open_ticket(event: WantedDish) -> None:
        delivery = current_delivery()
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        if delivery is not None and delivery.attempt == 1:
            raise ValueError("no dough")

    shop.listen(open_ticket)
    shop.bus.drain(timeout=50)
    shop.close()


if __name__ == "__main__":
    main()
