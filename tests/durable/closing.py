"""Leave the interpreter, or a forked child, with a bus that nobody has closed; say what it published of its life.

Usage: python -m tests.durable.closing started|background|forked FOLDER
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from bus import BusClosed, BusStarted, BusStopped, listener
from tests.durable.shop import Shop


@dataclass(frozen=True)
class Ping:
    sender: str


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    shop = Shop(Path(sys.argv[2]))
    leaving = threading.Event()

    @listener(BusStarted, BusStopped, BusClosed)
    def hear(event: object) -> None:
        say(type(event).__name__)
        leaving.set()
        shop.bus.start()

    @listener(background=True)
    def answer(event: Ping) -> None:
        if event.sender == "leaving":
            leaving.wait(10)
        say(f"heard of {event.sender}")

    shop.bus.subscribe(hear)
    shop.bus.subscribe(answer)
    if sys.argv[1] == "started":
        shop.bus.start()
    elif sys.argv[1] == "background":
        shop.bus.publish(Ping("leaving"))
    else:
        fork(shop)


def fork(shop: Shop) -> None:
    shop.bus.start()
    shop.bus.publish(Ping("parent"))
    if os.fork() == 0:
        shop.bus.publish(Ping("child"))
        shop.bus.close()
        sys.exit()
    os.wait()
    shop.bus.close()


if __name__ == "__main__":
    main()
