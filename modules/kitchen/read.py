"""What cooks see of their tickets; reading waits for no writer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from bus import Database
from modules.kitchen.model import CAPACITY_ID, DEFAULT_CAPACITY, Capacity, Ticket, TicketStatus
from modules.kitchen.representations import TicketShown, show_ticket
from modules.kitchen.tables import tickets


class TicketReader:
    """Reads tickets and capacity as they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def oldest(
        self,
        limit: int,
        *,
        after: str | None = None,
        status: Collection[TicketStatus] | None = None,
    ) -> list[TicketShown]:
        """Return at most so many tickets, oldest first, from behind the ticket `after` on."""
        # Ids are UUIDv7: their order is the order of opening.
        query = select(Ticket).order_by(tickets.c.ticket_id).limit(limit)
        query = query.where(tickets.c.opened_at.is_not(None))
        if status is not None:
            query = query.where(tickets.c.status.in_(status))
        if after is not None:
            query = query.where(tickets.c.ticket_id > after)
        with self._database.read() as session:
            return [show_ticket(ticket) for ticket in session.scalars(query)]

    def capacity(self) -> int:
        """Return how many tickets may be open or cooking at once."""
        with self._database.read() as session:
            capacity = session.get(Capacity, CAPACITY_ID)
            return capacity.max_open_tickets if capacity else DEFAULT_CAPACITY
