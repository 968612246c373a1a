"""The kitchen's side of the counter: the panel on the page, and where its forms go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus import Clock
from bus.integrations.http import back_to_page, read_form
from modules.kitchen.board import TicketBoard
from modules.kitchen.brigade import AT_ONCE, Brigade
from modules.kitchen.model import WORKING, TicketConflictError, TicketStatus
from modules.kitchen.read import TicketReader
from modules.kitchen.requests import CapacityBody
from modules.kitchen.room import Room
from modules.kitchen.services import Stove
from modules.kitchen.web import ticket_problems

#: Tickets that the panel shows.
SHOWN = 12
#: How long a ticket waits until the panel says that it is late.
LATE = timedelta(minutes=10)


class KitchenPanel:
    """Shows the tickets that wait or cook, oldest first."""

    def __init__(self, reader: TicketReader, board: TicketBoard, clock: Clock) -> None:
        self._reader = reader
        self._board = board
        self._clock = clock

    def render(self, _parts: Mapping[str, Markup]) -> Markup:
        """Return the panel as HTML."""
        counts = self._board.counts()
        html = render_template(
            "kitchen/panel.html",
            tickets=self._reader.oldest(SHOWN, status=WORKING),
            capacity=self._reader.capacity(),
            open=counts[TicketStatus.OPEN],
            cooking=counts[TicketStatus.COOKING],
            at_once=AT_ONCE,
            age_of=self._age_of,
            is_late=self._is_late,
        )
        return Markup(html)

    def _age_of(self, moment: object) -> str:
        seconds = int((self._clock.now() - datetime.fromisoformat(str(moment))).total_seconds())
        if seconds < 60:
            return f"{max(0, seconds)} s"
        return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"

    def _is_late(self, moment: object) -> bool:
        return self._clock.now() - datetime.fromisoformat(str(moment)) > LATE


class KitchenForms:
    """Takes what cooks send from the panel, and leads back to the page."""

    def __init__(self, stove: Stove, brigade: Brigade, room: Room) -> None:
        self._stove = stove
        self._brigade = brigade
        self._room = room

    def start(self, ticket_id: str) -> ResponseReturnValue:
        """Begin to cook a ticket; one that cooks or is done already stays so."""
        return _once(self._stove.start, ticket_id, TicketStatus.COOKING, TicketStatus.DONE)

    def finish(self, ticket_id: str) -> ResponseReturnValue:
        """Put a cooked order on the counter; one that is done already stays so."""
        return _once(self._stove.finish, ticket_id, TicketStatus.DONE)

    def cook_all(self) -> ResponseReturnValue:
        """Cook everything that waits."""
        self._brigade.cook_all()
        return back_to_page()

    def resize(self) -> ResponseReturnValue:
        """Set how much the kitchen takes on at once."""
        self._room.resize(read_form(CapacityBody).max_open_tickets)
        return back_to_page()


def _once(act: Callable[[str], object], ticket_id: str, *wanted: TicketStatus) -> ResponseReturnValue:
    with ticket_problems():
        try:
            act(ticket_id)
        except TicketConflictError as error:
            # The button was pressed twice, or by two cooks: the first press did what was wanted.
            if error.current not in wanted:
                raise
    return back_to_page()


def create_forms(forms: KitchenForms) -> Blueprint:
    """Return the routes of the panel's forms, to be mounted under the module's name."""
    blueprint = Blueprint("kitchen_forms", __name__, template_folder="templates", static_folder="static")
    blueprint.add_url_rule("/tickets/<ticket_id>/start", view_func=forms.start, methods=["POST"])
    blueprint.add_url_rule("/tickets/<ticket_id>/finish", view_func=forms.finish, methods=["POST"])
    blueprint.add_url_rule("/tickets/cook-all", view_func=forms.cook_all, methods=["POST"])
    blueprint.add_url_rule("/capacity", view_func=forms.resize, methods=["POST"])
    return blueprint
