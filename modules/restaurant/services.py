"""What the restaurant does for orders; a transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from bus import Database, ModuleBus, transactional
from modules.restaurant.contract import (
    AcceptedLine,
    OrderAccepted,
    OrderPlaced,
    OrderRejected,
    Price,
)
from modules.restaurant.events import StockMoved
from modules.restaurant.model import Dish, Reservation, ReservationState, Restaurant, refusal
from modules.restaurant.tables import dishes


class Reservations:
    """Prices orders and keeps what they take from stock."""

    def __init__(self, database: Database, bus: ModuleBus) -> None:
        self.database = database
        self._bus = bus

    @transactional
    def serve(self, order: OrderPlaced) -> None:
        """Price the order and take its dishes from stock, or say why not; once for each order.

        An order whose cancellation came first is left alone.
        """
        if self._find(order.order_id) is not None:
            return
        wanted = _quantities(order)
        restaurant = self.database.session.get(Restaurant, order.restaurant_id)
        menu = self._menu(order.restaurant_id, wanted)
        reason = refusal(restaurant, menu, wanted)
        if reason is None:
            self._accept(order, menu, wanted)
        else:
            self._keep(Reservation(order.order_id, ReservationState.REJECTED, order.restaurant_id))
            self._bus.publish(OrderRejected(order.order_id, reason.value))

    @transactional
    def release(self, order_id: str, state: ReservationState) -> None:
        """Put back what the order holds, and let it hold nothing from now on."""
        reservation = self._find(order_id)
        if reservation is None:
            self._keep(Reservation(order_id, state))
        elif reservation.restaurant_id is not None:
            menu = self._menu(reservation.restaurant_id, [line.sku for line in reservation.lines])
            reservation.give_back(menu, state)
            self._tell_stock(menu)

    def _accept(self, order: OrderPlaced, menu: Mapping[str, Dish], wanted: Mapping[str, int]) -> None:
        reservation = Reservation(order.order_id, ReservationState.ACCEPTED, order.restaurant_id)
        total = reservation.take(menu, wanted)
        self._keep(reservation)
        self._tell_stock(menu)
        lines = tuple(AcceptedLine(sku, menu[sku].name, quantity) for sku, quantity in wanted.items())
        price = Price(total.amount, total.currency)
        self._bus.publish(OrderAccepted(order.order_id, order.restaurant_id, lines, price))

    def _find(self, order_id: str) -> Reservation | None:
        return self.database.session.get(Reservation, order_id, with_for_update=True)

    def _keep(self, reservation: Reservation) -> None:
        self.database.session.add(reservation)

    def _tell_stock(self, menu: Mapping[str, Dish]) -> None:
        for dish in menu.values():
            self._bus.publish(StockMoved(dish.restaurant_id, dish.sku, dish.stock))

    def _menu(self, restaurant_id: str, skus: Iterable[str]) -> dict[str, Dish]:
        """Return these dishes, locked in one fixed sequence: no two orders block each other."""
        query = select(Dish).where(dishes.c.restaurant_id == restaurant_id, dishes.c.sku.in_(list(skus)))
        found = self.database.session.scalars(query.order_by(dishes.c.sku).with_for_update())
        return {dish.sku: dish for dish in found}


def _quantities(order: OrderPlaced) -> Counter[str]:
    """Return how many of each dish the order wants; a dish on two lines counts together."""
    wanted: Counter[str] = Counter()
    for line in order.lines:
        wanted[line.sku] += line.quantity
    return wanted
