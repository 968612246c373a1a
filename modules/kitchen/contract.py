"""What kitchen says to other modules and hears from them: dishes, never prices or customers."""

from __future__ import annotations

from dataclasses import dataclass

from bus import event, event_view


@event("kitchen.ticket_opened", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    """There is room for the order, and a ticket waits for a cook."""

    order_id: str
    ticket_id: str


@event("kitchen.ticket_refused", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class TicketRefused:
    """There is no room for the order."""

    order_id: str
    reason: str


@event("kitchen.preparation_started", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class PreparationStarted:
    """Somebody cooks the order."""

    order_id: str
    ticket_id: str


@event("kitchen.order_ready", version=1, key="order_id")
@dataclass(frozen=True, slots=True)
class OrderReady:
    """The order is cooked and waits at the counter."""

    order_id: str
    ticket_id: str


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """So many of one dish, by the name that the menu gives it."""

    name: str
    quantity: int


@event_view("restaurant.order_accepted")
@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The restaurant serves the order: it is to be cooked."""

    order_id: str
    lines: tuple[AcceptedLine, ...]


@event_view("order.cancelled")
@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """The customer has withdrawn the order: it is not to be cooked."""

    order_id: str
