"""With a million completed publications, and as many events in the history, a claim takes hardly longer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

from sqlalchemy import event as sqlalchemy_event

from bus import SystemClock
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from tests.durable.filling import complete, owe, publish
from tests.durable.shop import Shop, placed
from tests.prove.databases import fresh
from tests.prove.finding import Finding, at_most

#: Rows that stand in the way, claims that are timed on each side, and rows that each of them may take.
DONE, CLAIMS, DUE = 1_000_000, 150, 200

BAKE = "kitchen.bake"


def prove() -> Iterator[Finding]:
    with fresh("empty", "full") as found:
        for name, urls in found.items():
            with ExitStack() as stack:
                empty, full = (stack.enter_context(closing(Shop(url, clock=SystemClock()))) for url in urls)
                yield from _compared(name, empty, full)


def _compared(name: str, empty: Shop, full: Shop) -> Iterator[Finding]:
    complete(full.kitchen, DONE, listener=BAKE, now=SystemClock().microseconds())
    publish(full.order, DONE)
    for shop in (empty, full):
        _have_something_due(shop)
        _leave_the_disk_out(shop)
    for what, claim in (("retry", _claim_retry), ("envelopes", _claim_envelopes)):
        without, beside = _medians(claim, empty, full)
        told = f"{name}, claim of {what}: {beside * 1e6:.0f} µs beside {DONE:,}, {without * 1e6:.0f} µs beside none"
        yield at_most(told, beside / without, 1.5, " x")


def _have_something_due(shop: Shop) -> None:
    failed = Outcome(State.RETRYING, Reason.FAILED, 0, failures=1, crashes=0)
    for number in range(DUE):
        shop.inbox_store.record(Publication(BAKE, placed(number)), failed)
    owe(shop.order, 10 * DUE, first=DONE + 1)
    for database in (shop.order, shop.kitchen):
        with database.write() as connection:
            # The server does that by itself after a while.
            connection.exec_driver_sql("ANALYZE")


def _leave_the_disk_out(shop: Shop) -> None:
    """Have no claim wait for the disk, which would hide what the rows cost; a PostgreSQL of ours does not either."""

    def hurry(connection: Any, *_record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    for database in (shop.order, shop.kitchen):
        if not database.is_postgresql:
            sqlalchemy_event.listen(database.engine, "checkout", hurry)


def _medians(claim: Callable[[Shop], object], *shops: Shop) -> list[float]:
    """Time claims that take turns, so that a change of the machine's mood hits both sides."""
    times: list[list[float]] = [[] for _ in shops]
    for _ in range(CLAIMS):
        for shop, taken in zip(shops, times, strict=True):
            began = time.perf_counter()
            found = claim(shop)
            taken.append(time.perf_counter() - began)
            if not found:
                raise ValueError("there was nothing to claim, so nothing was measured")
    return [statistics.median(taken) for taken in times]


def _claim_retry(shop: Shop) -> object:
    return shop.inbox_store.claim([BAKE, "kitchen.open_ticket"])


def _claim_envelopes(shop: Shop) -> object:
    return shop.outboxes["order"].claim("kitchen", 10)
