"""Deliver what a shop owes; the process is killed in the middle of the run for one of the orders.

Usage: python -m tests.durable.dying URL HOURS POISON
"""

from __future__ import annotations

import os
import signal
import sys

from bus import module_listener
from tests.durable.crashing import ShiftedClock
from tests.durable.shop import Shop, Ticket, WantedDish


def main() -> None:
    url, hours, poison = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    shop = Shop(url, clock=ShiftedClock(hours))

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.kitchen.session.flush()
        if event.order_id == poison:
            os.kill(os.getpid(), signal.SIGKILL)

    shop.listen(open_ticket)
    shop.bus.drain(timeout=50)
    shop.close()


if __name__ == "__main__":
    main()
