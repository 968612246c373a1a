"""What goes to PostgreSQL together with BEGIN or with COMMIT, and what becomes of it where a part of it fails."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import insert, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from bus import Database
from bus.pipeline import in_one_round_trip
from bus.prepared import Request
from tests.databases import ON_POSTGRESQL
from tests.durable.shop import Order, OrderPlaced, Shop, placed

pytestmark = ON_POSTGRESQL


@contextmanager
def round_trips(database: Database) -> Iterator[list[str]]:
    """Collect the messages after which the client waits for the server's answers, in the words of libpq's trace."""
    found: list[str] = []
    traced: list[Any] = []

    def trace(connection: Any, *_rest: object) -> None:
        if not traced:
            connection.pgconn.trace(wire.fileno())
            traced.append(connection)

    with tempfile.TemporaryFile("w+") as wire:
        sqlalchemy_event.listen(database.engine, "checkout", trace)
        yield found
        sqlalchemy_event.remove(database.engine, "checkout", trace)
        traced[0].pgconn.untrace()
        wire.seek(0)
        messages = [line.split("\t") for line in wire]
    found += [
        kind.strip() for _time, who, _size, kind, *_ in messages if who == "F" and kind.strip() in ("Sync", "Query")
    ]


def publish(shop: Shop, order_id: int) -> None:
    with shop.order.transaction():
        shop.order.session.add(Order(id=order_id, note="ramen"))
        shop.bus.publish(OrderPlaced(order_id))


def parsed_on(database: Database) -> int:
    """Return how many statements the server keeps for the connection that is used next."""
    with database.write() as connection:
        return (
            connection.scalar(text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'modular_bus_%'")) or 0
        )


def test_event_travels_to_the_server_with_the_commit(shop: Shop) -> None:
    publish(shop, 1)

    with round_trips(shop.order) as asked:
        publish(shop, 2)

    assert asked == ["Query", "Sync", "Sync"]


def test_run_takes_two_round_trips_beside_its_listeners_own(shop: Shop) -> None:
    shop.open_tickets()
    inbox = shop.inbox()
    inbox.receive(placed(1), 1)

    with round_trips(shop.kitchen) as asked:
        inbox.receive(placed(2), 1)

    assert asked == ["Sync", "Sync", "Sync"]
    assert shop.tickets() == [1, 2]


class OneId:
    """Makes an id that is there already."""

    def new(self) -> str:
        return "the only id"


def test_event_that_cannot_be_written_takes_its_transaction_with_it(shop: Shop) -> None:
    shop.bus.ids = OneId()
    publish(shop, 1)

    with pytest.raises(IntegrityError):
        publish(shop, 2)

    assert shop.orders() == [1]
    assert [row.key for row in shop.history()] == ["1"]


def test_what_a_hook_of_sqlalchemy_writes_before_the_commit_is_a_part_of_it(shop: Shop) -> None:
    with shop.order.transaction() as unit:

        @sqlalchemy_event.listens_for(unit.session, "before_commit")
        def note(session: Session) -> None:
            session.connection().execute(insert(Order).values(id=2, note="by a hook"))

        publish(shop, 1)

    assert shop.orders() == [1, 2]
    assert [row.key for row in shop.history()] == ["1"]


def test_server_keeps_no_statement_for_a_connection_that_says_so(shop: Shop) -> None:
    publish(shop, 1)
    kept = parsed_on(shop.order)
    shop.order.close()

    @sqlalchemy_event.listens_for(shop.order.engine, "connect")
    def keep_none(connection: Any, _record: object) -> None:
        connection.prepare_threshold = None

    publish(shop, 2)

    assert (kept > 0, parsed_on(shop.order)) == (True, 0)
    assert shop.orders() == [1, 2]


@pytest.mark.parametrize("letting_go", ["ROLLBACK", "DISCARD ALL", "DEALLOCATE ALL"])
def test_statements_that_the_driver_has_let_go_are_parsed_again(shop: Shop, letting_go: str) -> None:
    for order_id in range(10):
        publish(shop, order_id)

    with shop.order.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(letting_go)
    with shop.order.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        connection.rollback()
    publish(shop, 10)

    assert shop.orders() == list(range(11))


def test_text_that_the_server_cannot_hold_is_refused_and_not_cut(shop: Shop) -> None:
    request = Request(b"SELECT $1::text", b"modular_bus_test", ["before\0after"])

    with pytest.raises(DataError, match="NUL"), shop.order.engine.begin() as connection:
        in_one_round_trip(connection, [request])


def test_connection_goes_on_after_a_statement_that_failed(shop: Shop) -> None:
    wrong = Request(b"SELECT 1 / $1::integer", b"modular_bus_wrong", [0])
    right = Request(b"SELECT 6 / $1::integer", b"modular_bus_right", [3])

    with shop.order.engine.connect() as connection:
        with pytest.raises(DataError, match="division by zero"):
            in_one_round_trip(connection, [wrong], commit=True)
        connection.rollback()
        answers = in_one_round_trip(connection, [right], commit=True)
        with pytest.raises(DataError, match="division by zero"):
            in_one_round_trip(connection, [wrong], commit=True)

    assert [answer.row for answer in answers] == [[b"2"]]
