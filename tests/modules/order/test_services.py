"""What customers do, what the other modules say, and what is left of it in the database."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bus.testing import FakeClock, ModuleUnderTest
from modules.order.contract import (
    OrderAccepted,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderReady,
    PlacedLine,
    PreparationStarted,
    TicketOpened,
    Total,
)
from modules.order.model import Customer, OrderLine
from modules.order.services import OrderNotFoundError
from modules.order.status import OrderConflictError


def place(order: ModuleUnderTest) -> str:
    order.container.customer_orders().place("demo", [OrderLine("ramen", 2)], Customer("Ada", "+44 5550199"))
    return order.events.one(OrderPlaced).order_id


def test_placed_order_is_told_without_its_customer(order: ModuleUnderTest) -> None:
    order_id = place(order)

    assert order.published == [OrderPlaced(order_id, "demo", (PlacedLine("ramen", 2),))]


def test_history_keeps_the_time_of_each_step(order: ModuleUnderTest, fake_clock: FakeClock) -> None:
    order_id = place(order)

    order.hear(OrderAccepted(order_id, Total(Decimal("27.60"), "EUR")))
    fake_clock.advance(minutes=1)
    order.hear(TicketOpened(order_id))
    fake_clock.advance(minutes=2)
    order.hear(PreparationStarted(order_id))
    order.hear(OrderReady(order_id))
    fake_clock.advance(minutes=3)
    order.container.customer_orders().collect(order_id)

    shown = order.container.reader().one(order_id)
    assert shown["total"] == {"amount": "27.60", "currency": "EUR"}
    assert shown["history"] == [
        {"status": "placed", "at": "2026-01-01T00:00:00+00:00"},
        {"status": "accepted", "at": "2026-01-01T00:01:00+00:00"},
        {"status": "preparing", "at": "2026-01-01T00:03:00+00:00"},
        {"status": "ready", "at": "2026-01-01T00:03:00+00:00"},
        {"status": "completed", "at": "2026-01-01T00:06:00+00:00"},
    ]
    assert order.published[1:] == [OrderCompleted(order_id)]


def test_cancelled_order_is_told_once(order: ModuleUnderTest) -> None:
    order_id = place(order)
    orders = order.container.customer_orders()

    orders.cancel(order_id)
    with pytest.raises(OrderConflictError):
        orders.cancel(order_id)

    assert order.published[1:] == [OrderCancelled(order_id)]


def test_news_of_an_order_that_nobody_knows_is_an_error(order: ModuleUnderTest) -> None:
    with pytest.raises(OrderNotFoundError, match="there is no order o-404"):
        order.hear(TicketOpened("o-404"))
