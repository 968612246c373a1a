"""Look after a shop on a machine whose clock is wrong, until nothing is due there any more.

Usage: python -m tests.durable.skewed URL SECONDS
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from bus import DrainTimeoutError, SystemClock
from tests.durable.shop import Shop


def shift(seconds: int) -> None:
    """Set this process's clock on, or back."""
    right = time.time_ns
    time.time_ns = lambda: right() + seconds * 1_000_000_000


def main() -> None:
    shift(int(sys.argv[2]))
    shop = Shop(sys.argv[1], clock=SystemClock())
    shop.open_tickets()
    with suppress(DrainTimeoutError):
        shop.bus.drain(timeout=2)
    shop.close()


if __name__ == "__main__":
    main()
