"""Menus, stock, and what of it is taken for which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Reason(StrEnum):
    """Why a restaurant cannot serve an order."""

    UNKNOWN_RESTAURANT = "unknown_restaurant"
    CLOSED = "closed"
    UNKNOWN_DISH = "unknown_dish"
    OUT_OF_STOCK = "out_of_stock"


class ReservationState(StrEnum):
    """What has become of the dishes that an order asked for."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency."""

    amount: Decimal
    currency: str


class Restaurant:
    """A place with a menu, whose prices are all in one currency."""

    def __init__(self, restaurant_id: str, name: str, currency: str) -> None:
        self.restaurant_id = restaurant_id
        self.name = name
        self.currency = currency
        self.is_open = True


class Dish:
    """A dish of one menu, and how many of it are left."""

    def __init__(self, restaurant_id: str, sku: str, details: DishDetails) -> None:
        self.restaurant_id = restaurant_id
        self.sku = sku
        self.change(details)

    def change(self, details: DishDetails) -> None:
        """Take over what the restaurant says of the dish."""
        self.name = details.name
        self.price = details.price
        self.stock = details.stock
        self.available = details.available

    def details(self) -> DishDetails:
        """Return what is to be said of the dish."""
        return DishDetails(self.name, self.price, self.stock, self.available)

    def serves(self, quantity: int) -> bool:
        """Return whether so many can be taken."""
        return self.available and self.stock >= quantity


@dataclass(frozen=True, slots=True)
class DishDetails:
    """What a restaurant says of a dish."""

    name: str
    price: Money
    stock: int
    available: bool = True


class ReservedLine:
    """So many of one dish, taken from stock."""

    def __init__(self, sku: str, quantity: int) -> None:
        self.sku = sku
        self.quantity = quantity


class Reservation:
    """What is taken from stock for one order; one for each order that the restaurant has heard of.

    It holds stock in the state `accepted` alone, so each way out of that state gives back once what
    was taken, and a cancellation that comes before its order leaves a reservation that takes
    nothing any more.
    """

    def __init__(self, order_id: str, state: ReservationState, restaurant_id: str | None = None) -> None:
        self.order_id = order_id
        self.state = state
        self.restaurant_id = restaurant_id
        self.lines: list[ReservedLine] = []

    def take(self, menu: Mapping[str, Dish], wanted: Mapping[str, int]) -> Money:
        """Take the dishes from stock and return what they cost together."""
        for sku, quantity in wanted.items():
            menu[sku].stock -= quantity
            self.lines.append(ReservedLine(sku, quantity))
        prices = [menu[sku].price for sku in wanted]
        total = sum((menu[sku].price.amount * quantity for sku, quantity in wanted.items()), Decimal(0))
        return Money(total, prices[0].currency)

    def give_back(self, menu: Mapping[str, Dish], state: ReservationState) -> None:
        """Put back what is held, if anything is, and end in this state."""
        if self.state is ReservationState.ACCEPTED:
            for line in self.lines:
                menu[line.sku].stock += line.quantity
            self.state = state


def refusal(restaurant: Restaurant | None, menu: Mapping[str, Dish], wanted: Mapping[str, int]) -> Reason | None:
    """Return why the restaurant cannot serve these dishes, or None where it can."""
    if restaurant is None:
        return Reason.UNKNOWN_RESTAURANT
    if not restaurant.is_open:
        return Reason.CLOSED
    if not wanted.keys() <= menu.keys():
        return Reason.UNKNOWN_DISH
    if not all(menu[sku].serves(quantity) for sku, quantity in wanted.items()):
        return Reason.OUT_OF_STOCK
    return None
