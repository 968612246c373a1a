"""The session of a unit of work comes when it is asked for, and is part of whatever has begun by then."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bus import Phase, TransactionControlError, transactional_listener
from tests.databases import ON_POSTGRESQL
from tests.durable.shop import Order, OrderPlaced, Shop


def add(shop: Shop, order_id: int) -> None:
    shop.order.connection.execute(insert(Order).values(id=order_id, note=""))


def test_session_that_is_asked_for_late_sees_and_commits_what_the_connection_did(shop: Shop) -> None:
    with shop.order.transaction() as unit:
        add(shop, 1)
        seen = list(unit.session.scalars(select(Order.id)))
        unit.session.add(Order(id=2, note=""))
        shop.bus.publish(OrderPlaced(2))

    assert seen == [1]
    assert (shop.orders(), [row.key for row in shop.history()]) == ([1, 2], ["2"])


def test_session_that_is_never_used_keeps_nothing_from_being_committed(shop: Shop) -> None:
    with shop.order.transaction() as unit:
        assert unit.session is unit.session
        add(shop, 1)

    assert shop.orders() == [1]


def test_session_that_is_asked_for_in_a_savepoint_of_the_connection_outlives_it(shop: Shop) -> None:
    with shop.order.transaction() as unit:
        add(shop, 1)
        with shop.order.connection.begin_nested():
            unit.session.add(Order(id=2, note=""))
            unit.session.flush()
        unit.session.add(Order(id=3, note=""))

    assert shop.orders() == [1, 2, 3]


def test_session_that_is_asked_for_in_a_savepoint_loses_what_that_takes_back(shop: Shop) -> None:
    with shop.order.transaction() as unit:
        add(shop, 1)
        savepoint = shop.order.connection.begin_nested()
        unit.session.add(Order(id=2, note=""))
        unit.session.flush()
        savepoint.rollback()

    assert shop.orders() == [1]


def test_savepoint_of_a_unit_whose_connection_is_used_already_takes_back_its_own_part(shop: Shop) -> None:
    with shop.order.transaction():
        add(shop, 1)
        with suppress(ValueError), shop.order.savepoint():
            add(shop, 2)
            shop.bus.publish(OrderPlaced(2))
            raise ValueError("no")
        shop.bus.publish(OrderPlaced(1))

    assert (shop.orders(), [row.key for row in shop.history()]) == ([1], ["1"])


def test_failed_flush_of_a_session_that_came_late_fails_the_whole(shop: Shop) -> None:
    with pytest.raises(IntegrityError), shop.order.transaction() as unit:
        add(shop, 1)
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))

    assert (shop.orders(), shop.history()) == ([], [])


def test_listener_before_the_commit_may_be_the_first_that_asks_for_the_session(shop: Shop) -> None:
    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def add_another(event: OrderPlaced) -> None:
        shop.order.session.add(Order(id=event.order_id, note=""))

    shop.bus.subscribe(add_another, module="order")
    with shop.order.transaction():
        add(shop, 1)
        shop.bus.publish(OrderPlaced(2))

    assert shop.orders() == [1, 2]


def test_unit_in_which_nothing_is_asked_of_the_database_opens_no_connection(shop: Shop) -> None:
    before = shop.order.engine.pool.checkedout()  # type: ignore[attr-defined]
    with shop.order.transaction() as unit:
        assert unit.session.info == {}
        inside = shop.order.engine.pool.checkedout()  # type: ignore[attr-defined]

    assert inside == before


@pytest.mark.parametrize("with_session", [False, True])
def test_rollback_on_the_connection_fails_the_unit(shop: Shop, with_session: bool) -> None:
    with pytest.raises(TransactionControlError, match="ended from inside"), shop.order.transaction() as unit:
        add(shop, 1)
        if with_session:
            unit.session.add(Order(id=2, note=""))
        shop.order.connection.rollback()
        add(shop, 3)
        shop.bus.publish(OrderPlaced(3))

    assert (shop.orders(), shop.history()) == ([], [])


def test_commit_on_the_connection_is_refused_where_there_is_no_session(shop: Shop) -> None:
    with pytest.raises(TransactionControlError, match="commits by itself"), shop.order.transaction():
        add(shop, 1)
        shop.order.connection.commit()

    assert shop.orders() == []


def test_closing_the_connection_fails_the_unit(shop: Shop) -> None:
    with pytest.raises(TransactionControlError, match="ended from inside"), shop.order.transaction():
        add(shop, 1)
        shop.order.connection.close()
        shop.bus.publish(OrderPlaced(1))

    assert (shop.orders(), shop.history()) == ([], [])


@ON_POSTGRESQL
@pytest.mark.parametrize("with_session", [False, True])
def test_connection_that_died_unnoticed_is_told_as_that_and_leaves_none_behind(shop: Shop, with_session: bool) -> None:
    with pytest.raises(OperationalError), shop.order.transaction() as unit:
        if with_session:
            unit.session.add(Order(id=2, note=""))
        pid = shop.order.connection.scalar(text("SELECT pg_backend_pid()"))
        with shop.kitchen.engine.connect() as other:
            other.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        raise ValueError("changed her mind")

    assert shop.order.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
