"""The routes of kitchen: what each operation takes and answers."""

from __future__ import annotations

from bus.integrations.http import Uuid
from bus.integrations.operation import Answer, Operation, Routes, StatusProblem, problem
from modules.kitchen.representations import TicketPage, TicketShown
from modules.kitchen.requests import CapacityBody, TicketsQuery
from modules.kitchen.web import KitchenViews

_ONE = {"ticket_id": Uuid}
_CHANGED = {
    200: Answer("The ticket.", TicketShown),
    404: problem("There is no such ticket."),
    409: problem("The ticket's present status forbids it.", StatusProblem),
}
_CAPACITY = {200: Answer("How much the kitchen takes on at once.", CapacityBody)}


def create_routes(views: KitchenViews) -> Routes:
    """Return the routes, to be mounted under the version of the HTTP interface."""
    one = "/kitchen/tickets/<ticket_id>"
    return Routes(
        "kitchen",
        (
            Operation(
                "GET",
                "/kitchen/tickets",
                views.browse,
                query=TicketsQuery,
                answers={200: Answer("A page of tickets.", TicketPage)},
            ),
            Operation("POST", f"{one}/start", views.start, in_path=_ONE, answers=_CHANGED),
            Operation("POST", f"{one}/finish", views.finish, in_path=_ONE, answers=_CHANGED),
            Operation("GET", "/kitchen/capacity", views.capacity, answers=_CAPACITY),
            Operation("PUT", "/kitchen/capacity", views.resize, body=CapacityBody, answers=_CAPACITY),
        ),
    )
