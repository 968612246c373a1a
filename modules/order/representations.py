"""How order shows an order; the customer's name and phone number are never part of it."""

from __future__ import annotations

from modules.order.model import Money, Order


def show_order(order: Order) -> dict[str, object]:
    """Return the order as JSON shows it."""
    return {
        "order_id": order.order_id,
        "status": order.status.value,
        "restaurant_id": order.restaurant_id,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
        "total": show_money(order.total) if order.total else None,
        "reason": order.reason,
        "history": [{"status": step.status.value, "at": step.at.isoformat()} for step in order.history],
    }


def show_money(money: Money) -> dict[str, str]:
    """Return the amount with two decimals, and its currency."""
    return {"amount": f"{money.amount:.2f}", "currency": money.currency}
