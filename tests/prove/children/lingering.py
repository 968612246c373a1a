"""Look after a shop, one of whose orders takes long; say when that begins, and print the orders that were run.

Usage: python -m tests.prove.children.lingering URL SECONDS_OF_THE_LONG_ONE SECONDS_IN_ALL
"""

from __future__ import annotations

import sys
import time

from bus import SystemClock, module_listener
from tests.durable.shop import Shop, Ticket, WantedDish

#: The order that takes long.
LONG = 7


def main() -> None:
    shop = Shop(sys.argv[1], clock=SystemClock())
    runs: list[int] = []

    @module_listener("kitchen.bake")
    def bake(event: WantedDish) -> None:
        runs.append(event.order_id)
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        if event.order_id == LONG:
            time.sleep(float(sys.argv[2]))

    shop.listen(bake)
    shop.bus.start()
    print("ready", flush=True)
    time.sleep(float(sys.argv[3]))
    print(*runs)
    shop.close()


if __name__ == "__main__":
    main()
