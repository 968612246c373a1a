"""The customer's side of the counter: the panel on the page, and where its forms go."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus.integrations.http import back_to_page, read_form
from modules.order.model import Customer, OrderLine
from modules.order.read import OrderReader
from modules.order.requests import OrderForm
from modules.order.services import CustomerOrders
from modules.order.status import STOPPABLE
from modules.order.web import order_problems

#: Orders that the panel shows.
SHOWN = 10


class OrderPanel:
    """Shows the customer's latest orders and a form for the next one."""

    def __init__(self, reader: OrderReader) -> None:
        self._reader = reader

    def render(self) -> Markup:
        """Return the panel as HTML."""
        orders = self._reader.newest(SHOWN)
        return Markup(render_template("order/panel.html", orders=orders, stoppable=STOPPABLE))


class OrderForms:
    """Takes what customers send from the panel, and leads back to the page."""

    def __init__(self, orders: CustomerOrders) -> None:
        self._orders = orders

    def place(self) -> ResponseReturnValue:
        """Take an order of one line."""
        form = read_form(OrderForm)
        lines = [OrderLine(form.sku, form.quantity)]
        self._orders.place(form.restaurant_id, lines, Customer(form.name, form.phone))
        return back_to_page()

    def cancel(self, order_id: str) -> ResponseReturnValue:
        """Withdraw an order."""
        with order_problems():
            self._orders.cancel(order_id)
        return back_to_page()

    def collect(self, order_id: str) -> ResponseReturnValue:
        """Hand an order over."""
        with order_problems():
            self._orders.collect(order_id)
        return back_to_page()


def create_forms(forms: OrderForms) -> Blueprint:
    """Return the routes of the panel's forms, to be mounted under the module's name."""
    blueprint = Blueprint("order_forms", __name__, template_folder="templates")
    blueprint.add_url_rule("/place", view_func=forms.place, methods=["POST"])
    blueprint.add_url_rule("/<order_id>/cancel", view_func=forms.cancel, methods=["POST"])
    blueprint.add_url_rule("/<order_id>/collect", view_func=forms.collect, methods=["POST"])
    return blueprint
