"""Many processes drain one outbox, each row once, and one that has nothing to do asks little."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from bus import SystemClock
from tests.durable.filling import owe
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop, executed
from tests.prove.databases import child, fresh, said
from tests.prove.finding import Finding, at_least, at_most, exactly

#: Processes, rows, and seconds for which an idle one is watched.
RELAYS, ROWS, SECONDS = 8, 20_000, 6

#: What an idle module asks a second: about pauses, retries, parked events, and what it owes to each of three modules;
#: on SQLite with a BEGIN for each of three transactions.
FEWEST, QUESTIONS = 6, 9


def prove() -> Iterator[Finding]:
    with fresh("busy", "idle") as found:
        for name, [busy, idle] in found.items():
            yield from _once(name, busy)
            yield from _idle(name, idle)


def _once(name: str, url: str) -> Iterator[Finding]:
    with closing(Shop(url, clock=SystemClock())) as shop:
        owe(shop.order, ROWS, now=SystemClock().microseconds())
        began = time.monotonic()
        relays = [child("draining", url) for _ in range(RELAYS)]
        sent = Counter(id for relay in relays for id in said(relay))
        took = time.monotonic() - began
        told = f"{name}, of {ROWS:,} rows handed over by {RELAYS} processes in {took:.0f} s"
        yield exactly(f"{told}, once", sum(count == 1 for count in sent.values()), ROWS)
        yield exactly(f"{name}, still owed", len(shop.owed()), 0)


def _idle(name: str, url: str) -> Iterator[Finding]:
    with closing(Shop(url, clock=SystemClock(), modules=(ORDER, KITCHEN, BILL))) as shop:
        shop.open_tickets()
        shop.bus.drain()
        with executed(shop.kitchen.read_engine) as questions, executed(shop.kitchen.engine) as writes:
            time.sleep(SECONDS)
        asked = len(questions) / SECONDS
        yield at_least(f"{name}, questions of an idle module a second", asked, FEWEST * 0.5)
        yield at_most(f"{name}, questions of an idle module a second", asked, QUESTIONS * 1.2)
        yield exactly(f"{name}, statements of it that could write", len(writes), 0)
