"""How the history store searches; what it finds is under contract in tests/contracts."""

from __future__ import annotations

from typing import Any

from sqlalchemy.event import listen

from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.history.store import BEGINNING
from tests.databases import ON_SQLITE
from tests.durable.shop import Shop


@ON_SQLITE
def test_no_search_walks_through_the_history_or_the_outbox(shop: Shop) -> None:
    history = SqlAlchemyHistoryStore(shop.order, shop.clock)
    shop.place(1, 2)
    ran: list[tuple[str, Any]] = []
    listen(shop.order.read_engine, "before_cursor_execute", lambda *given: ran.append((given[2], given[3])))

    history.beginning_with("0", 5)
    history.of_story("0")
    history.following(BEGINNING, 5)

    with shop.order.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all() for query, values in ran]
    steps = [row[3] for plan in plans for row in plan]
    assert len(plans) > 3
    assert not [step for step in steps if step.startswith("SCAN bus_")]
