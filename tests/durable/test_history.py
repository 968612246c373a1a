"""The history store: what a module has published, read again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen

from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.history.store import RecordedEvent
from tests.durable.shop import OrderCancelled, Shop


@pytest.fixture
def history(shop: Shop) -> SqlAlchemyHistoryStore:
    return SqlAlchemyHistoryStore(shop.order)


def cancel(shop: Shop, order_id: int) -> None:
    with shop.order.transaction():
        shop.bus.publish(OrderCancelled(order_id))


def keys(found: list[RecordedEvent]) -> list[str | None]:
    return [event.envelope.subject for event in found]


def tell_as_one(shop: Shop, correlation_id: str) -> None:
    """Make everything that the order has published one story."""
    with shop.order.write() as connection:
        connection.execute(text("UPDATE bus_event SET correlation_id = :id"), {"id": correlation_id})


def test_last_events_come_oldest_first(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2, 3)

    assert keys(history.last(2)) == ["2", "3"]


def test_last_events_of_one_name(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1)
    cancel(shop, 1)
    shop.place(2)

    assert keys(history.last(5, name="order.placed")) == ["1", "2"]


def test_events_following_a_position_begin_with_the_next_one(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2, 3, 4)
    first = history.last(4)[0]

    assert keys(history.following(first.position, 2)) == ["2", "3"]


def test_event_names_the_modules_that_have_not_acknowledged_it(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1)
    cancel(shop, 1)

    assert [event.owed_to for event in history.last(2)] == [("kitchen",), ()]


def test_event_is_read_as_it_was_published(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(7)

    (found,) = history.last(1)
    assert (found.envelope.source, found.envelope.type, found.envelope.version) == ("order", "order.placed", 1)
    assert found.envelope.data == b'{"order_id":7,"note":""}'


def test_story_has_every_event_of_its_correlation_id(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2)
    tell_as_one(shop, "story")
    shop.place(3)

    assert keys(history.of_story("story")) == ["1", "2"]


def test_beginning_of_an_id_finds_the_event(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2)
    wanted = history.last(1)[0].envelope.id

    assert keys(history.beginning_with(wanted[:-1], 5)) == ["2"]


def test_beginning_of_a_correlation_id_finds_its_first_event_alone(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2)
    tell_as_one(shop, "story-of-two")

    assert keys(history.beginning_with("story", 5)) == ["1"]


def test_beginning_that_several_stories_share_finds_each(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2, 3)

    assert keys(history.beginning_with("0", 2)) == ["1", "2"]


@pytest.mark.parametrize("id", ["%", "_", "x", "\uffff"])
def test_beginning_is_no_pattern(shop: Shop, history: SqlAlchemyHistoryStore, id: str) -> None:
    shop.place(1)

    assert history.beginning_with(id, 5) == []


def test_no_search_walks_through_the_history_or_the_outbox(shop: Shop, history: SqlAlchemyHistoryStore) -> None:
    shop.place(1, 2)
    ran: list[tuple[str, Any]] = []
    listen(shop.order.read_engine, "before_cursor_execute", lambda *given: ran.append((given[2], given[3])))

    history.beginning_with("0", 5)
    history.of_story("0")
    history.following(1, 5)

    with shop.order.engine.connect() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all() for query, values in ran]
    steps = [row[3] for plan in plans for row in plan]
    assert len(plans) > 3
    assert not [step for step in steps if step.startswith("SCAN bus_")]
