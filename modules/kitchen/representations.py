"""How kitchen shows a ticket."""

from __future__ import annotations

from modules.kitchen.model import Ticket


def show_ticket(ticket: Ticket) -> dict[str, object]:
    """Return the ticket as JSON shows it."""
    return {
        "ticket_id": ticket.ticket_id,
        "order_id": ticket.order_id,
        "status": ticket.status.value,
        "lines": [{"name": line.name, "quantity": line.quantity} for line in ticket.lines],
        "opened_at": ticket.opened_at.isoformat() if ticket.opened_at else None,
    }
