"""What keeps the read models of order: listeners that run in the transaction of whatever changes an order."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import selectinload

from bus import Database, listener, transactional
from modules.order.contract import PlacedLine
from modules.order.events import OrderChanged, OrderTaken, Reached
from modules.order.model import Order
from modules.order.read_models import followed_orders
from modules.order.representations import show_money
from modules.order.services import reached

#: Orders that a rebuild holds in memory at once.
BATCH = 500

_ADD = insert(followed_orders)
_CHANGE = update(followed_orders).where(followed_orders.c.order_id == bindparam("of_order"))


class FollowedOrders:
    """Keeps what customers follow."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @listener
    def add(self, event: OrderTaken) -> None:
        """Begin to follow an order."""
        lines = [{"sku": line.sku, "quantity": line.quantity} for line in event.lines]
        added = {"order_id": event.order_id, "restaurant_id": event.restaurant_id, "lines": lines}
        self.database.connection.execute(_ADD, {**added, **_way(event.steps), "total": None, "reason": None})

    @listener
    def change(self, event: OrderChanged) -> None:
        """Show what the order costs, and how far it is since when."""
        total = None if event.total is None else show_money(event.total)
        self.database.connection.execute(
            _CHANGE, {"of_order": event.order_id, **_way(event.steps), "total": total, "reason": event.reason}
        )

    @transactional
    def rebuild(self) -> int:
        """Throw away what is shown and tell it again from the stored orders; return how many there are."""
        session = self.database.session
        session.execute(delete(followed_orders))
        orders = 0
        stored = select(Order).options(selectinload("*")).execution_options(yield_per=BATCH)
        for order in session.scalars(stored):
            self._retell(order)
            orders += 1
        return orders

    def _retell(self, order: Order) -> None:
        lines = tuple(PlacedLine(line.sku, line.quantity) for line in order.lines)
        self.add(OrderTaken(order.order_id, order.restaurant_id, lines, reached(order)))
        self.change(OrderChanged(order.order_id, reached(order), order.total, order.reason))


def _way(steps: tuple[Reached, ...]) -> dict[str, object]:
    told = [{"status": step.status.value, "at": step.at.isoformat()} for step in steps]
    return {"status": steps[-1].status.value, "history": told}
