"""What cooks see of their tickets; reading waits for no writer, and finds what was just written."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from sqlalchemy import select

from bus import Database
from modules.kitchen.model import DEFAULT_CAPACITY, TicketStatus
from modules.kitchen.read_models import board_capacity, board_tickets
from modules.kitchen.representations import TicketShown


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
        query = select(board_tickets).order_by(board_tickets.c.ticket_id).limit(limit)
        if status is not None:
            query = query.where(board_tickets.c.status.in_([one.value for one in status]))
        if after is not None:
            query = query.where(board_tickets.c.ticket_id > after)
        with self._database.read() as session:
            return [cast(TicketShown, dict(found)) for found in session.execute(query).mappings()]

    def capacity(self) -> int:
        """Return how many tickets may be open or cooking at once."""
        with self._database.read() as session:
            capacity = session.scalar(select(board_capacity.c.max_open_tickets))
        return DEFAULT_CAPACITY if capacity is None else capacity
