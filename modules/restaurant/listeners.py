"""How restaurant reacts to orders and to the kitchen."""

from __future__ import annotations

from bus import module_listener
from modules.restaurant.contract import OrderCancelled, OrderPlaced, TicketRefused
from modules.restaurant.model import ReservationState
from modules.restaurant.services import Reservations


class OrderNews:
    """Reactions to what customers do."""

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    @module_listener("restaurant.serve_order")
    def serve_order(self, event: OrderPlaced) -> None:
        """Price the order and take its dishes from stock, or reject it."""
        self._reservations.serve(event)

    @module_listener("restaurant.restock_cancelled_order")
    def restock_cancelled_order(self, event: OrderCancelled) -> None:
        """Put back what a cancelled order holds."""
        self._reservations.release(event.order_id, ReservationState.CANCELLED)


class KitchenNews:
    """Reactions to what the kitchen says of an order."""

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    @module_listener("restaurant.restock_refused_order")
    def restock_refused_order(self, event: TicketRefused) -> None:
        """Put back what an order holds that the kitchen has no room for."""
        self._reservations.release(event.order_id, ReservationState.REFUSED)
