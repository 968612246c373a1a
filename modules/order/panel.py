"""The customer's side of the counter: the panel on the page, and where its forms go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus import IdSource
from bus.integrations.http import back_to_page
from modules.order.form import form_digest, read_order_form
from modules.order.idempotency import OrdersOnce
from modules.order.read import OrderReader
from modules.order.services import CustomerOrders
from modules.order.status import STOPPABLE, WAY, OrderConflictError, OrderStatus
from modules.order.web import order_problems

#: Orders that the panel shows.
SHOWN = 8

#: Why an order was turned away, in words for its customer; other reasons are shown as they are.
REASONS = {
    "unknown_restaurant": "there is no such restaurant",
    "unknown_dish": "there is no such dish",
    "out_of_stock": "a dish is off the menu or out of stock",
    "closed": "the restaurant is closed",
    "kitchen_full": "the kitchen has no room; what was taken from stock is back",
}


class OrderPanel:
    """Shows the customer's latest orders and a form for the next one."""

    def __init__(self, reader: OrderReader, ids: IdSource) -> None:
        self._reader = reader
        self._ids = ids

    def render(self, parts: Mapping[str, Markup]) -> Markup:
        """Return the panel as HTML, with the menu that another module may offer in the form."""
        html = render_template(
            "order/panel.html",
            orders=self._reader.newest(SHOWN),
            menu=parts.get("menu"),
            form_id=self._ids.new(),
            way=WAY,
            stoppable=STOPPABLE,
            reasons=REASONS,
            local_time=local_time,
        )
        return Markup(html)


def local_time(moment: object) -> str:
    """Return a moment as the clock on the wall shows it."""
    return datetime.fromisoformat(str(moment)).astimezone().strftime("%H:%M:%S")


class OrderForms:
    """Takes what customers send from the panel, and leads back to the page."""

    def __init__(self, orders: CustomerOrders, once: OrdersOnce) -> None:
        self._orders = orders
        self._once = once

    def place(self) -> ResponseReturnValue:
        """Take an order; the same form twice is the same order."""
        body, digest = read_order_form(), form_digest()
        if digest is None:
            self._orders.place(body.restaurant_id, body.order_lines(), body.whom())
        else:
            self._once.place(body.attempt(digest), body.restaurant_id, body.order_lines(), body.whom())
        return back_to_page()

    def cancel(self, order_id: str) -> ResponseReturnValue:
        """Withdraw an order; one that is withdrawn already stays so."""
        return _once(self._orders.cancel, order_id, OrderStatus.CANCELLED)

    def collect(self, order_id: str) -> ResponseReturnValue:
        """Hand an order over; one that is handed over already stays so."""
        return _once(self._orders.collect, order_id, OrderStatus.COMPLETED)


def _once(act: Callable[[str], object], order_id: str, wanted: OrderStatus) -> ResponseReturnValue:
    with order_problems():
        try:
            act(order_id)
        except OrderConflictError as error:
            # The button was pressed twice: the first press did what was wanted.
            if error.current is not wanted:
                raise
    return back_to_page()


def create_forms(forms: OrderForms) -> Blueprint:
    """Return the routes of the panel's forms, to be mounted under the module's name."""
    blueprint = Blueprint("order_forms", __name__, template_folder="templates", static_folder="static")
    blueprint.add_url_rule("/place", view_func=forms.place, methods=["POST"])
    blueprint.add_url_rule("/<order_id>/cancel", view_func=forms.cancel, methods=["POST"])
    blueprint.add_url_rule("/<order_id>/collect", view_func=forms.collect, methods=["POST"])
    return blueprint
