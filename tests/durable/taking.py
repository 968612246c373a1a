"""Take what a shop owes, on one thread, so that nothing else of it is on its way where it stands still.

Usage: python -m tests.durable.taking URL
"""

from __future__ import annotations

import os
import sys

from bus.failpoint import arm_from_environment
from tests.durable.crashing import ShiftedClock, listen
from tests.durable.shop import Shop, Undelayed


def main() -> None:
    arm_from_environment(os.environ)
    shop = Shop(sys.argv[1], clock=ShiftedClock(hours=1))
    listen(shop)
    inbox = shop.inbox(Undelayed())
    for found in shop.outboxes["order"].claim("kitchen", 1):
        inbox.receive(found.envelope, found.sends)
    while inbox.run_due():
        pass
    shop.close()


if __name__ == "__main__":
    main()
