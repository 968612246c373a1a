"""What happens to orders, told inside order alone: application events, which no other module hears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modules.order.model import Money
from modules.order.status import OrderStatus


@dataclass(frozen=True, slots=True)
class OrderMoved:
    """The order has reached a status; with a reason where that is a refusal."""

    order_id: str
    status: OrderStatus
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPriced:
    """The order has a price now."""

    order_id: str
    total: Money
