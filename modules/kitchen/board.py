"""How many tickets there are in each status."""

from __future__ import annotations

from sqlalchemy import func, select

from bus import Database
from modules.kitchen.model import WORKING, TicketStatus
from modules.kitchen.read_models import board_tickets


class TicketBoard:
    """Counts the tickets that take up room; takes no lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> dict[TicketStatus, int]:
        """Return how many wait and how many cook."""
        status = board_tickets.c.status
        working = [one.value for one in WORKING]
        query = select(status, func.count()).where(status.in_(working)).group_by(status)
        with self._database.read() as session:
            found = {TicketStatus(row[0]): int(row[1]) for row in session.execute(query)}
        return {status: found.get(status, 0) for status in WORKING}
