"""What order says to other modules, and what it hears from them.

No event carries the customer: a name or a phone number never leaves this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bus import event, event_view


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """So many of one dish, as the customer asked for it."""

    sku: str
    quantity: int


@event("order.placed", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A customer has ordered; nobody has looked at the menu yet."""

    order_id: str
    restaurant_id: str
    lines: tuple[PlacedLine, ...]


@event("order.cancelled", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """The customer has withdrawn the order, and that is final."""

    order_id: str


@event("order.completed", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderCompleted:
    """The customer has collected the order."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Total:
    """What the whole order costs."""

    amount: Decimal
    currency: str


@event_view("restaurant.order_accepted")
@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The restaurant has priced the order and taken its dishes from stock."""

    order_id: str
    total: Total


@event_view("restaurant.order_rejected")
@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The restaurant cannot serve the order."""

    order_id: str
    reason: str


@event_view("kitchen.ticket_opened")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    """The kitchen has room for the order."""

    order_id: str


@event_view("kitchen.ticket_refused")
@dataclass(frozen=True, slots=True)
class TicketRefused:
    """The kitchen has no room for the order."""

    order_id: str
    reason: str


@event_view("kitchen.preparation_started")
@dataclass(frozen=True, slots=True)
class PreparationStarted:
    """Somebody cooks the order."""

    order_id: str


@event_view("kitchen.order_ready")
@dataclass(frozen=True, slots=True)
class OrderReady:
    """The order waits at the counter."""

    order_id: str
