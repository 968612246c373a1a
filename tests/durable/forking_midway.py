"""Fork while another thread writes; the child then writes to the same database.

Usage: python -m tests.durable.forking_midway FOLDER|URL
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from bus import SystemClock
from tests.durable.shop import Order, Shop


def write_while_forking(shop: Shop, begun: threading.Event, forking: threading.Event) -> None:
    with shop.order.transaction() as unit:
        for order_id in range(500):
            unit.session.add(Order(id=order_id, note=""))
            unit.session.flush()
            begun.set()
            forking.wait(10)


def main() -> None:
    shop = Shop(sys.argv[1], clock=SystemClock())
    begun, forking = threading.Event(), threading.Event()
    writer = threading.Thread(target=write_while_forking, args=(shop, begun, forking))
    writer.start()
    begun.wait(10)
    # Called before the bus's own hook, which was registered earlier.
    os.register_at_fork(before=forking.set)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        shop.place(1000)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    writer.join()
    shop.close()
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
