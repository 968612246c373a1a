"""What customers see of their orders; reading waits for no writer."""

from __future__ import annotations

from sqlalchemy import select

from bus import Database
from modules.order.model import Order
from modules.order.representations import OrderShown, show_order
from modules.order.services import OrderNotFoundError
from modules.order.status import OrderStatus
from modules.order.tables import orders


class OrderReader:
    """Reads orders as they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def one(self, order_id: str) -> OrderShown:
        """Return one order.

        Raises:
            OrderNotFoundError: No order has that id.
        """
        with self._database.read() as session:
            order = session.get(Order, order_id)
            if order is None:
                raise OrderNotFoundError(order_id)
            return show_order(order)

    def newest(self, limit: int, *, after: str | None = None, status: OrderStatus | None = None) -> list[OrderShown]:
        """Return at most so many orders, newest first, from behind the order `after` on."""
        # Ids are UUIDv7: their order is the order of placing.
        query = select(Order).order_by(orders.c.order_id.desc()).limit(limit)
        if after is not None:
            query = query.where(orders.c.order_id < after)
        if status is not None:
            query = query.where(orders.c.status == status)
        with self._database.read() as session:
            return [show_order(order) for order in session.scalars(query)]
