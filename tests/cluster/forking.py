"""A process that publishes, and forks others while it does: each of them counts for itself at the broker.

Usage: python -m tests.cluster.forking DATABASE_URL BROKER_URL APPLICATION
"""

from __future__ import annotations

import os
import sys
import traceback

from bus import EventBus
from tests.cluster.half import half
from tests.durable.faults import until

#: Processes in all.
PROCESSES = 4


def count(bus: EventBus) -> None:
    """Return when this process sees all of them."""
    until(lambda: bus.life.where().endswith(f"{PROCESSES} processes"))


def child(bus: EventBus, seen: int, end: int) -> None:
    """Say when all are seen, stay until everybody has seen them, and end."""
    try:
        bus.start()
        count(bus)
        os.write(seen, b".")
        os.read(end, 1)
        bus.stop(grace=1.0)
    except Exception:  # noqa: BLE001 - the parent's process must not go on here
        traceback.print_exc()
    finally:
        os._exit(0)


def main() -> None:
    url, broker_url, application = sys.argv[1:]
    (seen, says_seen), (end, ends) = os.pipe(), os.pipe()
    with half("order", url, broker_url, application) as (bus, _database):
        until(bus.life.is_ready)
        for _ in range(PROCESSES - 1):
            if os.fork() == 0:
                os.close(ends)
                child(bus, says_seen, end)
        os.close(says_seen)
        count(bus)
        found = 0
        while os.read(seen, 1):
            found += 1
            if found == PROCESSES - 1:
                break
        os.close(ends)
    sys.exit(found != PROCESSES - 1)


if __name__ == "__main__":
    main()
