"""The whole brigade at work: every ticket that waits or cooks is done at once, as after a rush."""

from __future__ import annotations

from bus import Database, transactional
from modules.kitchen.model import WORKING, TicketStatus
from modules.kitchen.read import TicketReader
from modules.kitchen.services import Stove

#: Tickets that are cooked in one go: they stand in one transaction.
AT_ONCE = 200


class Brigade:
    """Cooks what there is, oldest first."""

    def __init__(self, database: Database, stove: Stove, reader: TicketReader) -> None:
        self.database = database
        self._stove = stove
        self._reader = reader

    @transactional
    def cook_all(self) -> None:
        """Start and finish the oldest tickets, in one transaction; each tells its own events."""
        for ticket in self._reader.oldest(AT_ONCE, status=WORKING):
            ticket_id = str(ticket["ticket_id"])
            if ticket["status"] == TicketStatus.OPEN:
                self._stove.start(ticket_id)
            self._stove.finish(ticket_id)
