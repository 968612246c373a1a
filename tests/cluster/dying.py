"""Work for the kitchen over a broker; the process is killed in the middle of the run for one of the orders.

Usage: python -m tests.cluster.dying DATABASE_URL BROKER_URL APPLICATION HOURS POISON
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Event

from bus import Database, RetryPolicy, assemble, module_listener
from bus.transport.dramatiq import on_redis
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.durable.crashing import ShiftedClock
from tests.durable.shop import KITCHEN, ORDER, TABLES, Ticket, Undelayed, WantedDish

#: Milliseconds after which Redis gives what a dead process had to another one.
HURRIED = 1_000


def main() -> None:
    url, broker_url, application, hours, poison = sys.argv[1:]
    on_redis.HEARTBEAT_TIMEOUT = HURRIED
    kitchen = Database("kitchen", url, metadata=TABLES["kitchen"])
    transport = DramatiqTransport(broker_url, application=application, threads=8)
    bus = assemble(
        [ORDER, KITCHEN],
        {"kitchen": kitchen},
        transport=transport,
        clock=ShiftedClock(int(hours)),
        random_source=Undelayed(),
    )

    @module_listener("kitchen.open_ticket", retry=RetryPolicy(max_crashes=1))
    def open_ticket(event: WantedDish) -> None:
        kitchen.session.add(Ticket(order_id=event.order_id))
        kitchen.session.flush()
        if event.order_id == int(poison):
            os.kill(os.getpid(), signal.SIGKILL)

    bus.module("kitchen").subscribe(open_ticket)
    bus.start()
    Event().wait()


if __name__ == "__main__":
    main()
