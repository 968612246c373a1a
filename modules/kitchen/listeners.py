"""How kitchen reacts to the restaurant and to customers."""

from __future__ import annotations

from bus import module_listener
from modules.kitchen.contract import OrderAccepted, OrderCancelled
from modules.kitchen.fault import Fault
from modules.kitchen.model import TicketLine
from modules.kitchen.services import TicketDesk


class OrderNews:
    """Reactions to what becomes of orders elsewhere."""

    def __init__(self, desk: TicketDesk, fault: Fault) -> None:
        self._desk = desk
        self._fault = fault

    @module_listener("kitchen.open_ticket")
    def open_ticket(self, event: OrderAccepted) -> None:
        """Open a ticket for what the restaurant serves, or refuse it."""
        self._fault.strike(event.order_id)
        self._desk.open(event.order_id, [TicketLine(line.name, line.quantity) for line in event.lines])

    @module_listener("kitchen.void_ticket")
    def void_ticket(self, event: OrderCancelled) -> None:
        """Stop work on what the customer has withdrawn."""
        self._desk.void(event.order_id)
