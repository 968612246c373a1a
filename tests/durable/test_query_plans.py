"""Scenario 25: what is dead or completed is never walked through on the way to what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from bus import Database
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import Reason
from bus.inbox.store import Publication
from bus.testing import FakeClock
from tests.databases import ON_SQLITE
from tests.durable.faults import dead_letters
from tests.durable.shop import Shop, placed, statements
from tests.durable.test_retention import MANY

pytestmark = ON_SQLITE

IDS = ["kitchen.bake", "kitchen.cook"]


@contextmanager
def explained(database: Database) -> Iterator[list[str]]:
    """Collect the query plans of what is read and changed in the inbox."""
    plans: list[str] = []

    def explain(cursor: Any, statement: str, parameters: Any, _context: object) -> None:
        if "bus_inbox" in statement and statement.startswith(("SELECT", "UPDATE", "DELETE")):
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows if "bus_inbox" in row[3])

    engines = (database.engine, database.read_engine)
    for engine in engines:
        sqlalchemy_event.listen(engine, "do_execute", explain)
    yield plans
    for engine in engines:
        sqlalchemy_event.remove(engine, "do_execute", explain)


@pytest.fixture
def full(shop: Shop) -> Shop:
    """Return a shop with 10,000 completed publications, 1,000 dead letters, and statistics about them."""
    with shop.kitchen.write() as connection:
        for count, state, reason, listener in (
            (10_000, "completed", None, "kitchen.cook"),
            (1_000, "dead", "failed", "kitchen.bake"),
        ):
            values = {"count": count, "state": state, "reason": reason, "due_at": shop.clock.microseconds()}
            connection.execute(text(MANY.replace("kitchen.cook", listener)), values)
        connection.exec_driver_sql("ANALYZE")
    return shop


@pytest.mark.parametrize(
    "ask",
    [
        lambda shop: shop.inbox_store.claim(IDS),
        lambda shop: shop.inbox_store.has_due(IDS, ["order.placed"]),
        lambda shop: shop.inbox_store.crashed(IDS, 100),
        lambda shop: shop.inbox_store.claim_parked({"order.placed": 1}, 0),
        lambda shop: shop.inbox_store.retrying(),
    ],
    ids=["claim", "has_due", "crashed", "claim_parked", "retrying"],
)
def test_scenario_25_what_is_due_is_found_through_the_index_of_the_retrying_alone(
    full: Shop, ask: Callable[[Shop], object]
) -> None:
    with explained(full.kitchen) as plans:
        ask(full)

    assert plans
    assert all("ix_bus_inbox_due" in plan for plan in plans), plans


def test_scenario_25_forgetting_walks_through_the_completed_and_the_dead_apart(full: Shop) -> None:
    with explained(full.kitchen) as plans:
        dead_letters(full).forget(full.clock.microseconds() + 1, 10)

    walked = [plan for plan in plans if "PRIMARY KEY" not in plan]
    assert [plan.split("INDEX ")[1].split()[0] for plan in walked] == ["ix_bus_inbox_completed", "ix_bus_inbox_dead"]
    assert all(plan.startswith("SEARCH") for plan in plans), plans


@pytest.mark.parametrize("query", [PublicationQuery(), PublicationQuery(reason=Reason.FAILED, since=1)])
def test_dead_letters_are_found_through_their_own_index(full: Shop, query: PublicationQuery) -> None:
    with explained(full.kitchen) as plans:
        dead_letters(full).find(query, limit=10)
        dead_letters(full).count(query)

    assert plans
    assert all("ix_bus_inbox_dead" in plan for plan in plans), plans


def test_publications_of_an_event_are_found_by_their_key(full: Shop) -> None:
    with explained(full.kitchen) as plans:
        dead_letters(full).of_event("00000007")

    assert any("PRIMARY KEY (listener=? AND event_id=?)" in plan for plan in plans), plans


def test_run_takes_and_completes_its_row_by_its_key(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    shop.mark(Publication("kitchen.open_ticket", placed(7)))
    inbox = shop.inbox()

    with explained(shop.kitchen) as plans:
        for _ in range(3):
            clock.advance(microseconds=LEASE)
            inbox.run_due()

    assert shop.tickets() == [7]
    assert {plan.split(" USING ")[1].split(" (")[0] for plan in plans} <= {"PRIMARY KEY", "INDEX ix_bus_inbox_due"}


def test_scenario_25_thousand_dead_letters_do_not_delay_a_new_publication(full: Shop, clock: FakeClock) -> None:
    full.listen(full.ticket_listener())
    inbox = full.inbox()

    with statements(full.kitchen) as seen:
        inbox.receive(placed(7), 1)

    assert full.tickets() == [7]
    assert len(seen) == 4
    assert not inbox.has_due()
