"""The routes of order: what each operation takes and answers."""

from __future__ import annotations

from bus.integrations.http import Uuid
from bus.integrations.operation import Answer, Operation, Routes, StatusProblem, problem
from modules.order.representations import OrderPage, OrderShown
from modules.order.requests import OrderBody, OrdersQuery, PlacingHeaders
from modules.order.web import OrderViews

_ONE = {"order_id": Uuid}
_SHOWN = Answer("The order.", OrderShown)
_UNKNOWN = problem("There is no such order.")
_CONFLICT = problem("The order's present status forbids it.", StatusProblem)
_CHANGED = {200: _SHOWN, 404: _UNKNOWN, 409: _CONFLICT}


def create_routes(views: OrderViews) -> Routes:
    """Return the routes, to be mounted under the version of the HTTP interface."""
    one = "/orders/<order_id>"
    placed = Answer("The order is placed.", OrderShown, headers={"Location": "Where the order is."})
    return Routes(
        "order",
        (
            Operation("POST", "/orders", views.place, headers=PlacingHeaders, body=OrderBody, answers={201: placed}),
            Operation(
                "GET", "/orders", views.browse, query=OrdersQuery, answers={200: Answer("A page of orders.", OrderPage)}
            ),
            Operation("GET", one, views.show, in_path=_ONE, answers={200: _SHOWN, 404: _UNKNOWN}),
            Operation("POST", f"{one}/cancel", views.cancel, in_path=_ONE, answers=_CHANGED),
            Operation("POST", f"{one}/collect", views.collect, in_path=_ONE, answers=_CHANGED),
        ),
    )
