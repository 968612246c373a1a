"""How kitchen shows a ticket."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from bus.integrations.http import Uuid
from modules.kitchen.model import Ticket, TicketStatus

Time = Annotated[str, Meta(examples=["2026-01-01T12:00:00+00:00"], extra_json_schema={"format": "date-time"})]


class TicketLineShown(TypedDict):
    """So many of one dish."""

    name: Annotated[str, Meta(examples=["Pizza Margherita"])]
    quantity: Annotated[int, Meta(examples=[2])]


class TicketShown(TypedDict):
    """What is to be cooked for one order."""

    ticket_id: Uuid
    order_id: Uuid
    status: TicketStatus
    lines: list[TicketLineShown]
    opened_at: Time | None


class TicketPage(TypedDict):
    """A page of tickets."""

    items: list[TicketShown]
    next: Annotated[str | None, Meta(description="The `after` of the next page.", examples=[None])]


def show_ticket(ticket: Ticket) -> TicketShown:
    """Return the ticket as JSON shows it."""
    return {
        "ticket_id": ticket.ticket_id,
        "order_id": ticket.order_id,
        "status": ticket.status,
        "lines": [{"name": line.name, "quantity": line.quantity} for line in ticket.lines],
        "opened_at": ticket.opened_at.isoformat() if ticket.opened_at else None,
    }
