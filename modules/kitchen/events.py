"""What happens in the kitchen, told inside it alone: application events, which no other module hears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from modules.kitchen.model import TicketStatus


@dataclass(frozen=True, slots=True)
class Portion:
    """So many of one dish."""

    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class TicketPutUp:
    """A ticket hangs on the board and waits for a cook."""

    ticket_id: str
    order_id: str
    portions: tuple[Portion, ...]
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TicketMoved:
    """Somebody has done something with a ticket."""

    ticket_id: str
    status: TicketStatus


@dataclass(frozen=True, slots=True)
class CapacitySet:
    """The kitchen takes on so many tickets at once from now on."""

    max_open_tickets: int
