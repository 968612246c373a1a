"""What a module owes stays in its outbox: the memory of a process does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from bus import SystemClock
from bus.outbox.flow import LIMIT
from tests.durable.filling import owe
from tests.durable.shop import Shop
from tests.prove.databases import child, fresh, said
from tests.prove.finding import Finding, at_least, at_most

#: Events that are owed, MiB by which a process may grow, and seconds of each half of its life.
OWED, MOST, SECONDS = 200_000, 100.0, 6


def prove() -> Iterator[Finding]:
    with fresh("shop") as found:
        for name, [url] in found.items():
            with closing(Shop(url)) as shop:
                owe(shop.order, OWED, now=SystemClock().microseconds())
            [line] = said(child("owing", url, SECONDS))
            waiting, working, on_their_way, placed, done = map(float, line.split())
            beside = f"beside {OWED:,} owed and {placed:,.0f} orders more"
            yield at_most(f"{name}, growth while the kitchen takes nothing, {beside}", waiting, MOST, " MiB")
            yield at_most(f"{name}, growth while it works, {done:,.0f} tickets", working, MOST, " MiB")
            yield at_most(f"{name}, unacknowledged at once", int(on_their_way), LIMIT)
            yield at_least(f"{name}, tickets", int(done), 1)
