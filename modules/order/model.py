"""An order and its way to completion, in whatever sequence news of it arrives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modules.order.status import STOPPABLE, WAY, OrderConflictError, OrderStatus


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Whom to call when the order is ready."""

    name: str
    phone: str | None = None


class OrderLine:
    """So many of one dish."""

    def __init__(self, sku: str, quantity: int) -> None:
        self.sku = sku
        self.quantity = quantity


class Step:
    """A status that the order has reached, and when."""

    def __init__(self, status: OrderStatus, at: datetime) -> None:
        self.status = status
        self.at = at


class Order:
    """What a customer wants of a restaurant, and how far it has come."""

    def __init__(
        self,
        order_id: str,
        restaurant_id: str,
        lines: Iterable[OrderLine],
        *,
        customer: Customer,
        at: datetime,
    ) -> None:
        self.order_id = order_id
        self.restaurant_id = restaurant_id
        self.lines = list(lines)
        self.customer_name = customer.name
        self.customer_phone = customer.phone
        self.total: Money | None = None
        self.reason: str | None = None
        self.ticket_opened = False
        self.history: list[Step] = []
        self._enter(OrderStatus.PLACED, at)

    def note_price(self, total: Money, at: datetime) -> None:
        """Note that the restaurant serves the order for this total."""
        self.total = total
        self._accept_if_agreed(at)

    def note_ticket(self, at: datetime) -> None:
        """Note that the kitchen has room for the order."""
        self.ticket_opened = True
        self._accept_if_agreed(at)

    def advance(self, status: OrderStatus, at: datetime) -> None:
        """Move on to a status further along the way; an order past it, or stopped, stays."""
        if self.status in WAY and WAY.index(status) > WAY.index(self.status):
            self._enter(status, at)

    def reject(self, reason: str, at: datetime) -> None:
        """Note that restaurant or kitchen cannot serve it; what was cancelled stays cancelled."""
        if self.status in STOPPABLE:
            self.reason = reason
            self._enter(OrderStatus.REJECTED, at)

    def cancel(self, at: datetime) -> None:
        """Withdraw the order for good.

        Raises:
            OrderConflictError: Preparation has started, or the order has ended.
        """
        if self.status not in STOPPABLE:
            raise OrderConflictError(self.order_id, self.status, OrderStatus.CANCELLED)
        self._enter(OrderStatus.CANCELLED, at)

    def collect(self, at: datetime) -> None:
        """Hand the order over to the customer.

        Raises:
            OrderConflictError: The order is not ready.
        """
        if self.status is not OrderStatus.READY:
            raise OrderConflictError(self.order_id, self.status, "collected")
        self._enter(OrderStatus.COMPLETED, at)

    def _accept_if_agreed(self, at: datetime) -> None:
        """An order is accepted once restaurant and kitchen have agreed, whoever came first."""
        if self.total is not None and self.ticket_opened:
            self.advance(OrderStatus.ACCEPTED, at)

    def _enter(self, status: OrderStatus, at: datetime) -> None:
        self.status = status
        self.history.append(Step(status, at))
