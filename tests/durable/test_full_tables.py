"""Scenario 38: what is completed stands in nobody's way; `make prove` measures it with a million of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from bus import Database
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from tests.durable.filling import complete, owe
from tests.durable.shop import Shop, placed

ROWS = 20_000


@contextmanager
def plans_of(database: Database) -> Iterator[list[str]]:
    """Collect how a database goes about what it is asked of the bus's tables, a line each."""
    plans: list[str] = []
    explain = "EXPLAIN" if database.is_postgresql else "EXPLAIN QUERY PLAN"

    def collect(cursor: Any, statement: str, parameters: Any, _context: object) -> None:
        if "bus_" in statement and not statement.startswith("INSERT"):
            plans.extend(row[-1] for row in cursor.connection.execute(f"{explain} {statement}", parameters).fetchall())

    sqlalchemy_event.listen(database.engine, "do_execute", collect)
    yield plans
    sqlalchemy_event.remove(database.engine, "do_execute", collect)


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A shop in whose tables much is done, and a little is due."""
    for number in range(3):
        failed = Outcome(State.RETRYING, Reason.FAILED, 0, failures=1, crashes=0)
        shop.inbox_store.record(Publication("kitchen.bake", placed(number)), failed)
    complete(shop.kitchen, ROWS, listener="kitchen.bake", now=shop.clock.microseconds())
    owe(shop.order, ROWS, now=shop.clock.microseconds() + 3_600_000_000)
    shop.place(*range(3))
    for database in (shop.order, shop.kitchen):
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    return shop


def claim_retry(shop: Shop) -> bool:
    return shop.inbox_store.claim(["kitchen.bake", "kitchen.cook"]) is not None


def claim_envelopes(shop: Shop) -> bool:
    return len(shop.outboxes["order"].claim("kitchen", 10)) == 3


@pytest.mark.parametrize(
    ("database", "claim", "index"),
    [("kitchen", claim_retry, "ix_bus_inbox_due"), ("order", claim_envelopes, "ix_bus_outbox_due")],
)
def test_scenario_38_claim_finds_what_is_due_by_its_index_and_walks_through_nothing(
    full: Shop, database: str, claim: Callable[[Shop], bool], index: str
) -> None:
    with plans_of(full.databases[database]) as plans:
        has_claimed = claim(full)

    assert has_claimed
    assert any(index in step for step in plans), plans
    assert not [step for step in plans if "SCAN bus_" in step or "Seq Scan on bus_" in step], plans
