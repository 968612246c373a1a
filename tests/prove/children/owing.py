"""Look after a shop that owes very much; print how its memory grows, and the most that was on its way at once.

First the kitchen takes nothing, then it works. Meanwhile orders are placed.
Usage: python -m tests.prove.children.owing URL SECONDS
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from pathlib import Path

from bus import Envelope, SystemClock, module_listener
from bus.transport.inprocess import InProcessTransport
from tests.durable.shop import Shop, Ticket, WantedDish

#: Orders that are placed in one transaction, and the number of the first.
BATCH, FIRST = 100, 10_000_000


class Counted(InProcessTransport):
    """Knows what is sent and not acknowledged, and how much of it there ever was at once."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._unacknowledged: set[str] = set()
        self.most = 0

    def send(self, target: str, envelope: Envelope, sends: int) -> None:
        with self._lock:
            self._unacknowledged.add(envelope.id)
            self.most = max(self.most, len(self._unacknowledged))
        super().send(target, envelope, sends)

    def acknowledge(self, target: str, envelope: Envelope) -> None:
        with self._lock:
            self._unacknowledged.discard(envelope.id)
        super().acknowledge(target, envelope)


class Watched:
    """A shop whose kitchen opens tickets once it may."""

    def __init__(self, url: str) -> None:
        self.transport = Counted()
        self.shop = Shop(url, clock=SystemClock(), transport=self.transport)
        self.may_work = threading.Event()
        self.placed = 0

        @module_listener("kitchen.open_ticket")
        def open_ticket(event: WantedDish) -> None:
            self.may_work.wait()
            self.shop.kitchen.session.add(Ticket(order_id=event.order_id))

        self.shop.listen(open_ticket)

    def spend(self, seconds: float) -> None:
        """Place orders for so many seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            first = FIRST + self.placed
            self.shop.place(*range(first, first + BATCH))
            self.placed += BATCH
            time.sleep(0.01)


def resident() -> float:
    """Return the MiB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    """Return the most MiB that it ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    seconds = float(sys.argv[2])
    watched = Watched(sys.argv[1])
    before = resident()
    watched.shop.bus.start()
    watched.spend(seconds)
    waiting = peak() - before
    watched.may_work.set()
    watched.spend(seconds)
    done = len(watched.shop.tickets())
    print(waiting, peak() - before, watched.transport.most, watched.placed, done)
    watched.shop.close()


if __name__ == "__main__":
    main()
