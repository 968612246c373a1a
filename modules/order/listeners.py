"""How order reacts to the restaurant and the kitchen."""

from __future__ import annotations

from bus import module_listener
from modules.order.contract import (
    OrderAccepted,
    OrderReady,
    OrderRejected,
    PreparationStarted,
    TicketOpened,
    TicketRefused,
)
from modules.order.model import Money
from modules.order.services import OrderProgress
from modules.order.status import OrderStatus


class RestaurantNews:
    """Reactions to what the restaurant says of an order."""

    def __init__(self, progress: OrderProgress) -> None:
        self._progress = progress

    @module_listener("order.price_order")
    def price_order(self, event: OrderAccepted) -> None:
        """Note the price that the restaurant asks."""
        self._progress.note_price(event.order_id, Money(event.total.amount, event.total.currency))

    @module_listener("order.reject_order")
    def reject_order(self, event: OrderRejected) -> None:
        """Reject what the restaurant cannot serve."""
        self._progress.reject(event.order_id, event.reason)


class KitchenNews:
    """Reactions to what the kitchen says of an order."""

    def __init__(self, progress: OrderProgress) -> None:
        self._progress = progress

    @module_listener("order.note_ticket")
    def note_ticket(self, event: TicketOpened) -> None:
        """Note that the kitchen has room."""
        self._progress.note_ticket(event.order_id)

    @module_listener("order.reject_without_ticket")
    def reject_without_ticket(self, event: TicketRefused) -> None:
        """Reject what the kitchen has no room for."""
        self._progress.reject(event.order_id, event.reason)

    @module_listener("order.follow_preparation")
    def follow_preparation(self, event: PreparationStarted) -> None:
        """Tell the customer that somebody cooks."""
        self._progress.advance(event.order_id, OrderStatus.PREPARING)

    @module_listener("order.call_customer")
    def call_customer(self, event: OrderReady) -> None:
        """Tell the customer that the order waits."""
        self._progress.advance(event.order_id, OrderStatus.READY)
