"""Fork while the bus runs; parent and child each place orders of their own, and both wait for the deliveries.

Usage: python -m tests.durable.forking FOLDER|URL
"""

from __future__ import annotations

import os
import sys
import threading

from bus import SystemClock
from tests.durable.shop import Shop


def place_and_drain(shop: Shop, first: int) -> None:
    for order_id in range(first, first + 20):
        shop.place(order_id)
    shop.bus.drain()


def main() -> None:
    shop = Shop(sys.argv[1], clock=SystemClock())
    shop.open_tickets()
    place_and_drain(shop, 0)
    child = os.fork()
    if child == 0:
        sys.stdout.write(f"threads of the child: {[thread.name for thread in threading.enumerate()]}\n")
        sys.stdout.flush()
        place_and_drain(shop, 100)
        shop.close()
        os._exit(0)
    place_and_drain(shop, 200)
    _, status = os.waitpid(child, 0)
    shop.close()
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
