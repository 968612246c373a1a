"""The kitchen's side of the counter: the panel on the page, and where its forms go."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus.integrations.http import back_to_page, read_form
from modules.kitchen.model import WORKING
from modules.kitchen.read import TicketReader
from modules.kitchen.requests import CapacityBody
from modules.kitchen.services import Room, Stove
from modules.kitchen.web import ticket_problems

#: Tickets that the panel shows.
SHOWN = 20


class KitchenPanel:
    """Shows the tickets that wait or cook, oldest first."""

    def __init__(self, reader: TicketReader) -> None:
        self._reader = reader

    def render(self) -> Markup:
        """Return the panel as HTML."""
        tickets = self._reader.oldest(SHOWN, status=WORKING)
        html = render_template("kitchen/panel.html", tickets=tickets, capacity=self._reader.capacity())
        return Markup(html)


class KitchenForms:
    """Takes what cooks send from the panel, and leads back to the page."""

    def __init__(self, stove: Stove, room: Room) -> None:
        self._stove = stove
        self._room = room

    def start(self, ticket_id: str) -> ResponseReturnValue:
        """Begin to cook a ticket."""
        with ticket_problems():
            self._stove.start(ticket_id)
        return back_to_page()

    def finish(self, ticket_id: str) -> ResponseReturnValue:
        """Put a cooked order on the counter."""
        with ticket_problems():
            self._stove.finish(ticket_id)
        return back_to_page()

    def resize(self) -> ResponseReturnValue:
        """Set how much the kitchen takes on at once."""
        self._room.resize(read_form(CapacityBody).max_open_tickets)
        return back_to_page()


def create_forms(forms: KitchenForms) -> Blueprint:
    """Return the routes of the panel's forms, to be mounted under the module's name."""
    blueprint = Blueprint("kitchen_forms", __name__, template_folder="templates")
    blueprint.add_url_rule("/tickets/<ticket_id>/start", view_func=forms.start, methods=["POST"])
    blueprint.add_url_rule("/tickets/<ticket_id>/finish", view_func=forms.finish, methods=["POST"])
    blueprint.add_url_rule("/capacity", view_func=forms.resize, methods=["POST"])
    return blueprint
