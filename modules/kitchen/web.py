"""The HTTP interface of kitchen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask.typing import ResponseReturnValue

from bus.integrations.http import Problem, page, shown
from modules.kitchen.model import TicketConflictError
from modules.kitchen.read import TicketReader
from modules.kitchen.representations import show_ticket
from modules.kitchen.requests import CapacityBody, TicketsQuery
from modules.kitchen.room import Room
from modules.kitchen.services import Stove, TicketNotFoundError


class KitchenViews:
    """Answers the requests for tickets and capacity."""

    def __init__(self, stove: Stove, room: Room, reader: TicketReader) -> None:
        self._stove = stove
        self._room = room
        self._reader = reader

    def browse(self, query: TicketsQuery) -> ResponseReturnValue:
        """Return a page of tickets, oldest first."""
        wanted = (query.status,) if query.status else None
        items = self._reader.oldest(query.limit + 1, after=query.after, status=wanted)
        return page(items, key="ticket_id", limit=query.limit)

    def start(self, ticket_id: str) -> ResponseReturnValue:
        """Begin to cook a ticket."""
        with ticket_problems():
            return show_ticket(self._stove.start(ticket_id))

    def finish(self, ticket_id: str) -> ResponseReturnValue:
        """Put a cooked order on the counter."""
        with ticket_problems():
            return show_ticket(self._stove.finish(ticket_id))

    def capacity(self) -> ResponseReturnValue:
        """Return how much the kitchen takes on at once."""
        return {"max_open_tickets": self._reader.capacity()}

    def resize(self, body: CapacityBody) -> ResponseReturnValue:
        """Set how much the kitchen takes on at once."""
        self._room.resize(body.max_open_tickets)
        return {"max_open_tickets": body.max_open_tickets}


@contextmanager
def ticket_problems() -> Iterator[None]:
    """Turn what kitchen refuses into problem documents: 404, and 409 with the present status."""
    try:
        yield
    except TicketNotFoundError as error:
        raise Problem(404, f"there is no ticket {shown(error.ticket_id)}") from error
    except TicketConflictError as error:
        raise Problem(409, str(error), current=error.current.value) from error
