"""A key gives one order, is kept with it, and is forgotten after a day."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from sqlalchemy import func, insert, select

from bus.testing import FakeClock, ModuleUnderTest
from modules.order.idempotency import BATCH, Attempt, KeyReusedError
from modules.order.model import Customer, OrderLine
from modules.order.requests import CustomerBody, LineBody, OrderBody
from modules.order.tables import idempotency_keys, orders

BODY = OrderBody("demo", (LineBody("ramen", 2),), CustomerBody("Ada", "5550199"))


def place(order: ModuleUnderTest, attempt: Attempt) -> str:
    customer = Customer("Ada", "5550199")
    return str(order.container.orders_once().place(attempt, "demo", [OrderLine("ramen", 2)], customer).order_id)


def count(order: ModuleUnderTest, table: object = orders) -> int:
    with order.container.database().read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]  # a Table


def test_same_attempt_gives_the_same_order_and_is_told_once(order: ModuleUnderTest) -> None:
    first, second = place(order, BODY.attempt("k")), place(order, BODY.attempt("k"))

    assert first == second
    assert (count(order), len(order.published)) == (1, 1)


def test_other_key_gives_another_order(order: ModuleUnderTest) -> None:
    assert place(order, BODY.attempt("k")) != place(order, BODY.attempt("l"))


def test_key_with_another_body_is_refused_and_places_nothing(order: ModuleUnderTest) -> None:
    place(order, BODY.attempt("k"))
    other = OrderBody("demo", BODY.lines, CustomerBody("Ada", "5550198"))

    with pytest.raises(KeyReusedError, match="take a fresh key"):
        place(order, other.attempt("k"))

    assert count(order) == 1


def test_key_is_remembered_for_a_day_and_then_free(order: ModuleUnderTest, fake_clock: FakeClock) -> None:
    first = place(order, BODY.attempt("k"))
    fake_clock.advance(hours=24, microseconds=-1)
    last = place(order, BODY.attempt("k"))
    fake_clock.advance(microseconds=1)
    fresh = place(order, OrderBody("demo", BODY.lines, CustomerBody("Bob")).attempt("k"))

    assert first == last != fresh


def test_old_keys_are_forgotten_a_batch_at_a_time(order: ModuleUnderTest, fake_clock: FakeClock) -> None:
    order_id, database = place(order, BODY.attempt("k")), order.container.database()
    row = {"fingerprint": "f", "order_id": order_id, "forgotten_at": fake_clock.now()}
    with database.transaction():
        rows = [{"digest": f"old-{number}", **row} for number in range(BATCH + 5)]
        database.session.execute(insert(idempotency_keys), rows)

    place(order, BODY.attempt("l"))
    assert count(order, idempotency_keys) == 2 + 5

    place(order, BODY.attempt("m"))
    assert count(order, idempotency_keys) == 3


def test_due_key_is_free_also_behind_more_keys_than_a_batch(order: ModuleUnderTest, fake_clock: FakeClock) -> None:
    first, database = place(order, BODY.attempt("k")), order.container.database()
    row = {"fingerprint": "f", "order_id": first, "forgotten_at": fake_clock.now()}
    with database.transaction():
        rows = [{"digest": f"old-{number}", **row} for number in range(BATCH)]
        database.session.execute(insert(idempotency_keys), rows)
    fake_clock.advance(hours=25)

    assert place(order, BODY.attempt("k")) != first


def test_neither_key_nor_body_is_kept(order: ModuleUnderTest) -> None:
    place(order, BODY.attempt("the-key"))

    with order.container.database().read() as session:
        [kept] = session.execute(select(idempotency_keys)).all()
    assert [word for word in ("the-key", "Ada", "5550199", "ramen") if word in str(kept)] == []


def test_fingerprint_tells_bodies_apart_and_equal_bodies_not() -> None:
    plain = OrderBody("demo", (LineBody("a", 1), LineBody("b", 1)), CustomerBody("Ada"))
    turned = OrderBody("demo", (LineBody("b", 1), LineBody("a", 1)), CustomerBody("Ada"))

    assert plain.attempt("k") == OrderBody("demo", plain.lines, CustomerBody("Ada", None)).attempt("k")
    assert plain.attempt("k") != turned.attempt("k")
    assert set(astuple(plain.attempt("k"))).isdisjoint(astuple(plain.attempt("l")))
