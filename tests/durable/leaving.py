"""Leave the interpreter while a listener runs that ends only after that.

Usage: python -m tests.durable.leaving FOLDER
"""

from __future__ import annotations

import atexit
import sys
import threading
from pathlib import Path

from bus import module_listener
from tests.durable.shop import Shop, Ticket, WantedDish


def main() -> None:
    shop = Shop(Path(sys.argv[1]))
    begun, leaving = threading.Event(), threading.Event()

    @module_listener("kitchen.linger")
    def linger(event: WantedDish) -> None:
        begun.set()
        leaving.wait(10)
        shop.kitchen.session.add(Ticket(order_id=event.order_id))

    shop.listen(linger)
    shop.bus.start()
    # Called before the bus's own hook, which was registered earlier.
    atexit.register(leaving.set)
    shop.place(1)
    begun.wait(10)


if __name__ == "__main__":
    main()
