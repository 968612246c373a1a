"""What restaurant says to other modules, and what it hears from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bus import event, event_view


@dataclass(frozen=True, slots=True)
class Price:
    """An exact amount in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """So many of one dish, with the name that the menu gives it."""

    sku: str
    name: str
    quantity: int


@event("restaurant.order_accepted", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The order is priced and its dishes are taken from stock."""

    order_id: str
    restaurant_id: str
    lines: tuple[AcceptedLine, ...]
    total: Price


@event("restaurant.order_rejected", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The restaurant cannot serve the order; nothing was taken from stock."""

    order_id: str
    reason: str


@event("restaurant.menu_changed", version=1, key="restaurant_id")
@dataclass(frozen=True, slots=True)
class MenuChanged:
    """A dish of the menu is new or has changed."""

    restaurant_id: str
    sku: str
    name: str
    price: Price
    available: bool


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """So many of one dish, as the customer asked for it."""

    sku: str
    quantity: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A customer wants these dishes of this restaurant."""

    order_id: str
    restaurant_id: str
    lines: tuple[OrderedLine, ...]


@event_view("order.cancelled")
@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """The customer has withdrawn the order."""

    order_id: str


@event_view("kitchen.ticket_refused")
@dataclass(frozen=True, slots=True)
class TicketRefused:
    """The kitchen has no room for the order."""

    order_id: str
