"""How order shows an order; the customer's name and phone number are never part of it."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from bus.integrations.http import Uuid
from modules.order.model import Money, Order
from modules.order.status import OrderStatus

Time = Annotated[str, Meta(examples=["2026-01-01T12:00:00+00:00"], extra_json_schema={"format": "date-time"})]


class LineShown(TypedDict):
    """So many of one dish."""

    sku: Annotated[str, Meta(examples=["margherita"])]
    quantity: Annotated[int, Meta(examples=[2])]


class TotalShown(TypedDict):
    """What the restaurant asks for the whole order."""

    amount: Annotated[str, Meta(examples=["17.00"])]
    currency: Annotated[str, Meta(examples=["EUR"])]


class StepShown(TypedDict):
    """A status that the order has reached, and when."""

    status: OrderStatus
    at: Time


class OrderShown(TypedDict):
    """An order and how far it has come."""

    order_id: Uuid
    status: OrderStatus
    restaurant_id: Annotated[str, Meta(examples=["demo"])]
    lines: list[LineShown]
    total: Annotated[TotalShown | None, Meta(description="The price, once the restaurant has named it.")]
    reason: Annotated[str | None, Meta(description="Why it was rejected.", examples=[None])]
    history: list[StepShown]


class OrderPage(TypedDict):
    """A page of orders."""

    items: list[OrderShown]
    next: Annotated[str | None, Meta(description="The `after` of the next page.", examples=[None])]


def show_order(order: Order) -> OrderShown:
    """Return the order as JSON shows it."""
    return {
        "order_id": order.order_id,
        "status": order.status,
        "restaurant_id": order.restaurant_id,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
        "total": show_money(order.total) if order.total else None,
        "reason": order.reason,
        "history": [{"status": step.status, "at": step.at.isoformat()} for step in order.history],
    }


def show_money(money: Money) -> TotalShown:
    """Return the amount with two decimals, and its currency."""
    return {"amount": f"{money.amount:.2f}", "currency": money.currency}
