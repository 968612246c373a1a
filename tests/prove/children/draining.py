"""Hand over what a shop owes until nothing is due, and print the ids of what was handed over.

Usage: python -m tests.prove.children.draining URL
"""

from __future__ import annotations

import sys

from bus import SystemClock
from tests.durable.belt import drained
from tests.durable.shop import Shop


def main() -> None:
    shop = Shop(sys.argv[1], clock=SystemClock())
    for id in drained(shop):
        print(id)
    shop.close()


if __name__ == "__main__":
    main()
