"""What happens to orders, told inside order alone: application events, which no other module hears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modules.order.contract import PlacedLine
from modules.order.model import Money
from modules.order.status import OrderStatus


@dataclass(frozen=True, slots=True)
class Reached:
    """A status that an order has reached, and when."""

    status: OrderStatus
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """There is a new order."""

    order_id: str
    restaurant_id: str
    lines: tuple[PlacedLine, ...]
    steps: tuple[Reached, ...]


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """The order has a price now, or has taken a step: all that can change of it, as it stands."""

    order_id: str
    steps: tuple[Reached, ...]
    total: Money | None
    reason: str | None
