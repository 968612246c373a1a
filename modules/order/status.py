"""Where an order can be, and which way it goes."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order is."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    PREPARING = "preparing"
    READY = "ready"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


#: The way of an order that nothing stops; news moves an order along it, never back.
WAY = (
    OrderStatus.PLACED,
    OrderStatus.ACCEPTED,
    OrderStatus.PREPARING,
    OrderStatus.READY,
    OrderStatus.COMPLETED,
)
#: From here an order may still be cancelled or rejected.
STOPPABLE = (OrderStatus.PLACED, OrderStatus.ACCEPTED)


class OrderConflictError(Exception):
    """Raised when an order's status forbids what the customer wants.

    Attributes:
        current: The status that forbids it.
    """

    def __init__(self, order_id: str, current: OrderStatus, wish: str) -> None:
        self.current = current
        super().__init__(f"order {order_id} is {current}: it cannot be {wish}")
