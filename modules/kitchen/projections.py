"""What keeps the read models of kitchen: listeners that run in the transaction of whatever changes a ticket."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from bus import Database, listener, transactional
from modules.kitchen.events import CapacitySet, Portion, TicketMoved, TicketPutUp
from modules.kitchen.model import Capacity, Ticket, TicketStatus
from modules.kitchen.read_models import board_capacity, board_tickets
from modules.kitchen.tables import tickets

#: Tickets that a rebuild holds in memory at once.
BATCH = 500


_ADD = insert(board_tickets)
_MOVE = update(board_tickets).where(board_tickets.c.ticket_id == bindparam("of_ticket"))


class Board:
    """Keeps what cooks see."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @listener
    def add(self, event: TicketPutUp) -> None:
        """Hang a ticket on the board."""
        what = {"ticket_id": event.ticket_id, "order_id": event.order_id, "status": TicketStatus.OPEN.value}
        lines = [{"name": portion.name, "quantity": portion.quantity} for portion in event.portions]
        self.database.connection.execute(_ADD, {**what, "lines": lines, "opened_at": event.opened_at.isoformat()})

    @listener
    def move(self, event: TicketMoved) -> None:
        """Show what has become of a ticket."""
        self.database.connection.execute(_MOVE, {"of_ticket": event.ticket_id, "status": event.status.value})

    @listener
    def resize(self, event: CapacitySet) -> None:
        """Show how much the kitchen takes on."""
        self.database.session.execute(delete(board_capacity))
        self.database.session.execute(insert(board_capacity).values(max_open_tickets=event.max_open_tickets))

    @transactional
    def rebuild(self) -> int:
        """Throw away what is shown and tell it again from the stored tickets; return how many are shown."""
        session = self.database.session
        session.execute(delete(board_tickets))
        session.execute(delete(board_capacity))
        for capacity in session.scalars(select(Capacity)):
            self.resize(CapacitySet(capacity.max_open_tickets))
        opened = select(Ticket).where(tickets.c.opened_at.is_not(None)).execution_options(yield_per=BATCH)
        shown = 0
        for ticket in session.scalars(opened):
            if ticket.opened_at is not None:
                self._retell(ticket, ticket.opened_at)
                shown += 1
        return shown

    def _retell(self, ticket: Ticket, opened_at: datetime) -> None:
        portions = tuple(Portion(line.name, line.quantity) for line in ticket.lines)
        self.add(TicketPutUp(ticket.ticket_id, ticket.order_id, portions, opened_at))
        self.move(TicketMoved(ticket.ticket_id, ticket.status))
