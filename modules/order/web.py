"""The HTTP interface of order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from bus.integrations.http import UUID_CURSOR, Problem, page, read_body, read_choice, read_page, shown
from modules.order.read import OrderReader
from modules.order.representations import show_order
from modules.order.requests import OrderBody
from modules.order.services import CustomerOrders, OrderNotFoundError
from modules.order.status import OrderConflictError, OrderStatus


class OrderViews:
    """Answers the requests for orders."""

    def __init__(self, orders: CustomerOrders, reader: OrderReader) -> None:
        self._orders = orders
        self._reader = reader

    def place(self) -> ResponseReturnValue:
        """Take an order."""
        body = read_body(OrderBody)
        order = self._orders.place(body.restaurant_id, body.order_lines(), body.whom())
        return show_order(order), 201, {"Location": url_for("order.show", order_id=order.order_id)}

    def browse(self) -> ResponseReturnValue:
        """Return a page of orders, newest first."""
        wanted, status = read_page(UUID_CURSOR), read_choice("status", OrderStatus)
        items = self._reader.newest(wanted.limit + 1, after=wanted.after, status=status)
        return page(items, key="order_id", limit=wanted.limit)

    def show(self, order_id: str) -> ResponseReturnValue:
        """Return one order."""
        with order_problems():
            return self._reader.one(order_id)

    def cancel(self, order_id: str) -> ResponseReturnValue:
        """Withdraw an order."""
        with order_problems():
            return show_order(self._orders.cancel(order_id))

    def collect(self, order_id: str) -> ResponseReturnValue:
        """Hand an order over."""
        with order_problems():
            return show_order(self._orders.collect(order_id))


@contextmanager
def order_problems() -> Iterator[None]:
    """Turn what order refuses into problem documents: 404, and 409 with the present status."""
    try:
        yield
    except OrderNotFoundError as error:
        raise Problem(404, f"there is no order {shown(error.order_id)}") from error
    except OrderConflictError as error:
        raise Problem(409, str(error), current=error.current.value) from error


def create_blueprint(views: OrderViews) -> Blueprint:
    """Return the routes of order, to be mounted under the version of the HTTP interface."""
    blueprint = Blueprint("order", __name__)
    blueprint.add_url_rule("/orders", view_func=views.place, methods=["POST"])
    blueprint.add_url_rule("/orders", view_func=views.browse, methods=["GET"])
    blueprint.add_url_rule("/orders/<order_id>", view_func=views.show, methods=["GET"])
    blueprint.add_url_rule("/orders/<order_id>/cancel", view_func=views.cancel, methods=["POST"])
    blueprint.add_url_rule("/orders/<order_id>/collect", view_func=views.collect, methods=["POST"])
    return blueprint
