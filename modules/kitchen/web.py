"""The HTTP interface of kitchen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint
from flask.typing import ResponseReturnValue

from bus.integrations.http import UUID_CURSOR, Problem, page, read_body, read_choice, read_page, shown
from modules.kitchen.model import TicketConflictError, TicketStatus
from modules.kitchen.read import TicketReader
from modules.kitchen.representations import show_ticket
from modules.kitchen.requests import CapacityBody
from modules.kitchen.services import Room, Stove, TicketNotFoundError


class KitchenViews:
    """Answers the requests for tickets and capacity."""

    def __init__(self, stove: Stove, room: Room, reader: TicketReader) -> None:
        self._stove = stove
        self._room = room
        self._reader = reader

    def browse(self) -> ResponseReturnValue:
        """Return a page of tickets, oldest first."""
        wanted, status = read_page(UUID_CURSOR), read_choice("status", TicketStatus)
        items = self._reader.oldest(wanted.limit + 1, after=wanted.after, status=(status,) if status else None)
        return page(items, key="ticket_id", limit=wanted.limit)

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

    def resize(self) -> ResponseReturnValue:
        """Set how much the kitchen takes on at once."""
        body = read_body(CapacityBody)
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


def create_blueprint(views: KitchenViews) -> Blueprint:
    """Return the routes of kitchen, to be mounted under the version of the HTTP interface."""
    blueprint = Blueprint("kitchen", __name__)
    blueprint.add_url_rule("/kitchen/tickets", view_func=views.browse, methods=["GET"])
    blueprint.add_url_rule("/kitchen/tickets/<ticket_id>/start", view_func=views.start, methods=["POST"])
    blueprint.add_url_rule("/kitchen/tickets/<ticket_id>/finish", view_func=views.finish, methods=["POST"])
    blueprint.add_url_rule("/kitchen/capacity", view_func=views.capacity, methods=["GET"])
    blueprint.add_url_rule("/kitchen/capacity", view_func=views.resize, methods=["PUT"])
    return blueprint
