"""What customers do with orders, and how news moves orders on; a transaction each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bus import Clock, Database, IdSource, ModuleBus, transactional
from modules.order.contract import OrderCancelled, OrderCompleted, OrderPlaced, PlacedLine
from modules.order.events import OrderChanged, OrderTaken, Reached
from modules.order.model import Customer, Money, Order, OrderLine
from modules.order.status import OrderStatus


class OrderNotFoundError(Exception):
    """Raised when no order has that id.

    Attributes:
        order_id: The id.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"there is no order {order_id}")


class CustomerOrders:
    """What a customer does: place, cancel and collect an order."""

    def __init__(self, database: Database, bus: ModuleBus, clock: Clock, ids: IdSource) -> None:
        self.database = database
        self._bus = bus
        self._clock = clock
        self._ids = ids

    @transactional
    def place(self, restaurant_id: str, lines: Iterable[OrderLine], customer: Customer) -> Order:
        """Take the order as it is: only the restaurant knows whether it can serve it."""
        order = Order(self._ids.new(), restaurant_id, lines, customer=customer, at=self._clock.now())
        self.database.session.add(order)
        wanted = tuple(PlacedLine(line.sku, line.quantity) for line in order.lines)
        self._bus.publish(OrderTaken(order.order_id, restaurant_id, wanted, reached(order)))
        self._bus.publish(OrderPlaced(order.order_id, restaurant_id, wanted))
        return order

    @transactional
    def cancel(self, order_id: str) -> None:
        """Withdraw the order, whatever the other modules do with it just now.

        Raises:
            OrderNotFoundError: No order has that id.
            OrderConflictError: Its preparation has started, or it has ended.
        """
        with moving(self.database, self._bus, order_id) as order:
            order.cancel(self._clock.now())
        self._bus.publish(OrderCancelled(order_id))

    @transactional
    def collect(self, order_id: str) -> None:
        """Hand a ready order over to its customer.

        Raises:
            OrderNotFoundError: No order has that id.
            OrderConflictError: It is not ready.
        """
        with moving(self.database, self._bus, order_id) as order:
            order.collect(self._clock.now())
        self._bus.publish(OrderCompleted(order_id))


class OrderProgress:
    """What news from the restaurant and the kitchen does to an order."""

    def __init__(self, database: Database, bus: ModuleBus, clock: Clock) -> None:
        self.database = database
        self._bus = bus
        self._clock = clock

    @transactional
    def note_price(self, order_id: str, total: Money) -> None:
        """Note the restaurant's agreement and its price."""
        with moving(self.database, self._bus, order_id) as order:
            order.note_price(total, self._clock.now())

    @transactional
    def note_ticket(self, order_id: str) -> None:
        """Note the kitchen's agreement."""
        with moving(self.database, self._bus, order_id) as order:
            order.note_ticket(self._clock.now())

    @transactional
    def reject(self, order_id: str, reason: str) -> None:
        """Note that the order cannot be served."""
        with moving(self.database, self._bus, order_id) as order:
            order.reject(reason, self._clock.now())

    @transactional
    def advance(self, order_id: str, status: OrderStatus) -> None:
        """Move the order on to a status that the kitchen reports."""
        with moving(self.database, self._bus, order_id) as order:
            order.advance(status, self._clock.now())


@contextmanager
def moving(database: Database, bus: ModuleBus, order_id: str) -> Iterator[Order]:
    """Lock an order for the running transaction, and tell inside order what the block has changed of it.

    Raises:
        OrderNotFoundError: No order has that id.
    """
    order = find_order(database, order_id)
    before = len(order.history), order.total
    yield order
    if before != (len(order.history), order.total):
        bus.publish(OrderChanged(order_id, reached(order), order.total, order.reason))


def find_order(database: Database, order_id: str) -> Order:
    """Return the order, locked for the running transaction.

    Raises:
        OrderNotFoundError: No order has that id.
    """
    order = database.session.get(Order, order_id, with_for_update=True)
    if order is None:
        raise OrderNotFoundError(order_id)
    return order


def reached(order: Order) -> tuple[Reached, ...]:
    """Return the steps that the order has taken so far."""
    return tuple(Reached(step.status, step.at) for step in order.history)
