"""Tickets, and how many of them the kitchen works at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

#: Tickets that may be open or cooking at once until somebody says otherwise.
DEFAULT_CAPACITY = 100_000
#: The id of the one capacity there is.
CAPACITY_ID = 1

#: Why the kitchen refuses an order.
KITCHEN_FULL = "kitchen_full"


class TicketStatus(StrEnum):
    """Where a ticket is."""

    OPEN = "open"
    COOKING = "cooking"
    DONE = "done"
    VOID = "void"


#: The tickets that take up room.
WORKING = (TicketStatus.OPEN, TicketStatus.COOKING)


class TicketConflictError(Exception):
    """Raised when a ticket's status forbids what a cook wants.

    Attributes:
        current: The status that forbids it.
    """

    def __init__(self, ticket_id: str, current: TicketStatus, wish: str) -> None:
        self.current = current
        super().__init__(f"ticket {ticket_id} is {current}: it cannot be {wish}")


class TicketLine:
    """So many of one dish."""

    def __init__(self, name: str, quantity: int) -> None:
        self.name = name
        self.quantity = quantity


class Ticket:
    """What is to be cooked for one order; there is at most one for each.

    A cancellation that comes before its order, and a refusal, leave a ticket that was never opened and is
    void from the start: it keeps the order out for good, and nobody sees it.
    """

    def __init__(self, ticket_id: str, order_id: str, lines: Iterable[TicketLine], opened_at: datetime | None) -> None:
        self.ticket_id = ticket_id
        self.order_id = order_id
        self.lines = list(lines)
        self.opened_at = opened_at
        self.status = TicketStatus.VOID if opened_at is None else TicketStatus.OPEN

    def start(self) -> None:
        """Begin to cook.

        Raises:
            TicketConflictError: The ticket is not open.
        """
        self._pass(TicketStatus.OPEN, TicketStatus.COOKING, "started")

    def finish(self) -> None:
        """Put the order on the counter.

        Raises:
            TicketConflictError: The ticket is not cooking.
        """
        self._pass(TicketStatus.COOKING, TicketStatus.DONE, "finished")

    def void(self) -> None:
        """Stop work on a ticket that is open or cooking; what is done stays done."""
        if self.status in WORKING:
            self.status = TicketStatus.VOID

    def _pass(self, before: TicketStatus, after: TicketStatus, wish: str) -> None:
        if self.status is not before:
            raise TicketConflictError(self.ticket_id, self.status, wish)
        self.status = after


class Capacity:
    """How many tickets may be open or cooking at once."""

    def __init__(self, max_open_tickets: int = DEFAULT_CAPACITY) -> None:
        self.capacity_id = CAPACITY_ID
        self.max_open_tickets = max_open_tickets

    def has_room(self, working: int) -> bool:
        """Return whether one more ticket may be opened beside so many."""
        return working < self.max_open_tickets
