"""A slow listener with a full backlog does not delay the listeners of another module."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from bus import Envelope, SystemClock, module_listener
from tests.durable.filling import owe
from tests.durable.shop import BILL, KITCHEN, ORDER, OwedSum, Shop
from tests.prove.databases import fresh
from tests.prove.finding import Finding, at_least, at_most

#: Orders that the slow module is owed at the beginning, seconds that it takes for each, and what is placed meanwhile.
BACKLOG, SLOWNESS, ORDERS, ORDERS_A_SECOND = 3000, 0.2, 600, 60

#: Seconds within which all but one of a hundred orders have their ticket.
BOUND = 0.5


class Latencies:
    """The times from the commits of orders to those of their tickets."""

    def __init__(self, shop: Shop) -> None:
        self.seconds: list[float] = []
        self._committed: dict[str, float] = {}
        self._keep = self._begin, self._end
        shop.bus.signals.published.connect(self._begin)
        shop.bus.signals.listener_completed.connect(self._end)

    def _begin(self, _bus: object, *, envelope: Envelope) -> None:
        self._committed.setdefault(envelope.id, time.monotonic())

    def _end(self, _bus: object, *, listener_id: str, event_id: str, **_rest: Any) -> None:
        if listener_id == "kitchen.open_ticket":
            # A ticket may be quicker than the news of its order.
            now = time.monotonic()
            self.seconds.append(now - self._committed.setdefault(event_id, now))


def prove() -> Iterator[Finding]:
    with fresh("shop") as found:
        for name, [url] in found.items():
            with closing(Shop(url, clock=SystemClock(), modules=(ORDER, KITCHEN, BILL))) as shop:
                yield from _measured(name, shop)


def _measured(name: str, shop: Shop) -> Iterator[Finding]:
    owe(shop.order, BACKLOG, target="bill", now=SystemClock().microseconds())
    billed = _bill_slowly(shop)
    shop.open_tickets()
    latencies = Latencies(shop)
    shop.bus.start()
    _place(shop)
    deadline = time.monotonic() + 30
    while len(latencies.seconds) < ORDERS and time.monotonic() < deadline:
        time.sleep(0.05)
    p50, p99 = (statistics.quantiles(latencies.seconds, n=100)[percent - 1] for percent in (50, 99))
    yield at_least(f"{name}, tickets beside {len(billed)} bills, {BACKLOG:,} owed", len(latencies.seconds), ORDERS)
    yield at_most(f"{name}, from order to ticket: p50 {p50 * 1000:.0f} ms, p99", p99 * 1000, BOUND * 1000, " ms")


def _bill_slowly(shop: Shop) -> list[int]:
    billed: list[int] = []

    @module_listener("bill.think")
    def think(event: OwedSum) -> None:
        time.sleep(SLOWNESS)
        billed.append(event.order_id)

    shop.listen(think, module="bill")
    return billed


def _place(shop: Shop) -> None:
    began = time.monotonic()
    for number in range(ORDERS):
        shop.place(number)
        time.sleep(max(0.0, began + (number + 1) / ORDERS_A_SECOND - time.monotonic()))
