"""What customers see of their orders; reading waits for no writer, and finds what was just written."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select

from bus import Database
from modules.order.read_models import followed_orders
from modules.order.representations import OrderShown
from modules.order.services import OrderNotFoundError
from modules.order.status import OrderStatus


class OrderReader:
    """Reads orders as they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def one(self, order_id: str) -> OrderShown:
        """Return one order.

        Raises:
            OrderNotFoundError: No order has that id.
        """
        query = select(followed_orders).where(followed_orders.c.order_id == order_id)
        with self._database.read() as session:
            found = session.execute(query).mappings().one_or_none()
        if found is None:
            raise OrderNotFoundError(order_id)
        return cast(OrderShown, dict(found))

    def newest(self, limit: int, *, after: str | None = None, status: OrderStatus | None = None) -> list[OrderShown]:
        """Return at most so many orders, newest first, from behind the order `after` on."""
        # Ids are UUIDv7: their order is the order of placing.
        query = select(followed_orders).order_by(followed_orders.c.order_id.desc()).limit(limit)
        if after is not None:
            query = query.where(followed_orders.c.order_id < after)
        if status is not None:
            query = query.where(followed_orders.c.status == status.value)
        with self._database.read() as session:
            return [cast(OrderShown, dict(found)) for found in session.execute(query).mappings()]
