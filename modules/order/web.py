"""The HTTP interface of order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import url_for
from flask.typing import ResponseReturnValue

from bus.integrations.http import Problem, page, shown
from modules.order.idempotency import KeyReusedError, OrdersOnce
from modules.order.model import Order
from modules.order.read import OrderReader
from modules.order.representations import show_order
from modules.order.requests import OrderBody, OrdersQuery, PlacingHeaders
from modules.order.services import CustomerOrders, OrderNotFoundError
from modules.order.status import OrderConflictError


class OrderViews:
    """Answers the requests for orders."""

    def __init__(self, orders: CustomerOrders, once: OrdersOnce, reader: OrderReader) -> None:
        self._orders = orders
        self._once = once
        self._reader = reader

    def place(self, headers: PlacingHeaders, body: OrderBody) -> ResponseReturnValue:
        """Take an order.

        With an `Idempotency-Key` it is taken once: the same key and body give the same order for 24 hours, so a
        request whose answer was lost can be sent again.
        """
        with order_problems():
            order = self._place(headers.idempotency_key, body)
        return show_order(order), 201, {"Location": url_for("order.show", order_id=order.order_id)}

    def browse(self, query: OrdersQuery) -> ResponseReturnValue:
        """Return a page of orders, newest first."""
        items = self._reader.newest(query.limit + 1, after=query.after, status=query.status)
        return page(items, key="order_id", limit=query.limit)

    def show(self, order_id: str) -> ResponseReturnValue:
        """Return one order."""
        with order_problems():
            return self._reader.one(order_id)

    def cancel(self, order_id: str) -> ResponseReturnValue:
        """Withdraw an order."""
        with order_problems():
            self._orders.cancel(order_id)
            return self._reader.one(order_id)

    def collect(self, order_id: str) -> ResponseReturnValue:
        """Hand an order over."""
        with order_problems():
            self._orders.collect(order_id)
            return self._reader.one(order_id)

    def _place(self, key: str | None, body: OrderBody) -> Order:
        wish = body.restaurant_id, body.order_lines(), body.whom()
        return self._orders.place(*wish) if key is None else self._once.place(body.attempt(key), *wish)


@contextmanager
def order_problems() -> Iterator[None]:
    """Turn what order refuses into problem documents: 404, and 409 with the present status."""
    try:
        yield
    except OrderNotFoundError as error:
        raise Problem(404, f"there is no order {shown(error.order_id)}") from error
    except OrderConflictError as error:
        raise Problem(409, str(error), current=error.current.value) from error
    except KeyReusedError as error:
        raise Problem(422, str(error), field="Idempotency-Key") from error
