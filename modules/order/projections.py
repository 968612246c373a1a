"""What keeps the read models of order: listeners that run in the transaction of whatever changes an order."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from bus import Database, listener, transactional
from modules.order.contract import OrderPlaced, PlacedLine
from modules.order.events import OrderMoved, OrderPriced
from modules.order.model import Order
from modules.order.read_models import followed_orders
from modules.order.representations import show_money
from modules.order.status import OrderStatus

#: Orders that a rebuild holds in memory at once.
BATCH = 500


class FollowedOrders:
    """Keeps what customers follow."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @listener
    def add(self, event: OrderPlaced) -> None:
        """Begin to follow an order; its first step comes by itself."""
        lines = [{"sku": line.sku, "quantity": line.quantity} for line in event.lines]
        added = {"order_id": event.order_id, "restaurant_id": event.restaurant_id, "lines": lines}
        begun = {"status": OrderStatus.PLACED.value, "history": []}
        self.database.session.execute(insert(followed_orders).values(**added, **begun))

    @listener
    def price(self, event: OrderPriced) -> None:
        """Show what the order costs."""
        self._change(event.order_id, total=show_money(event.total))

    @listener
    def move(self, event: OrderMoved) -> None:
        """Show where the order is, and since when."""
        mine = select(followed_orders.c.history).where(followed_orders.c.order_id == event.order_id)
        history = self.database.session.scalars(mine).one()
        step = {"status": event.status.value, "at": event.at.isoformat()}
        self._change(event.order_id, status=event.status.value, reason=event.reason, history=[*history, step])

    @transactional
    def rebuild(self) -> int:
        """Throw away what is shown and tell it again from the stored orders; return how many there are."""
        session = self.database.session
        session.execute(delete(followed_orders))
        orders = 0
        for order in session.scalars(select(Order).execution_options(yield_per=BATCH)):
            self._retell(order)
            orders += 1
        return orders

    def _retell(self, order: Order) -> None:
        lines = tuple(PlacedLine(line.sku, line.quantity) for line in order.lines)
        self.add(OrderPlaced(order.order_id, order.restaurant_id, lines))
        if order.total is not None:
            self.price(OrderPriced(order.order_id, order.total))
        for step in order.history:
            self.move(OrderMoved(order.order_id, step.status, step.at, order.reason))

    def _change(self, order_id: str, **values: object) -> None:
        mine = update(followed_orders).where(followed_orders.c.order_id == order_id)
        self.database.session.execute(mine.values(**values))
