"""What a restaurant can serve, and that stock is taken and given back exactly."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import pytest

from modules.restaurant.model import (
    Dish,
    DishDetails,
    Money,
    Reason,
    Reservation,
    ReservationState,
    Restaurant,
    refusal,
)


def dish(sku: str, amount: str, stock: int, *, available: bool = True) -> Dish:
    return Dish("demo", sku, DishDetails(sku.title(), Money(Decimal(amount), "EUR"), stock, available))


def menu(*dishes: Dish) -> dict[str, Dish]:
    return {one.sku: one for one in dishes}


def demo(*, is_open: bool = True) -> Restaurant:
    restaurant = Restaurant("demo", "Demo", "EUR")
    restaurant.is_open = is_open
    return restaurant


def test_restaurant_serves_what_it_has() -> None:
    assert refusal(demo(), menu(dish("ramen", "13.80", 2)), {"ramen": 2}) is None


@pytest.mark.parametrize(
    ("restaurant", "dishes", "reason"),
    [
        (None, [dish("ramen", "13.80", 5)], Reason.UNKNOWN_RESTAURANT),
        (demo(is_open=False), [dish("ramen", "13.80", 5)], Reason.CLOSED),
        (demo(), [], Reason.UNKNOWN_DISH),
        (demo(), [dish("ramen", "13.80", 1)], Reason.OUT_OF_STOCK),
        (demo(), [dish("ramen", "13.80", 5, available=False)], Reason.OUT_OF_STOCK),
    ],
)
def test_restaurant_says_why_it_cannot_serve(restaurant: Restaurant | None, dishes: list[Dish], reason: Reason) -> None:
    assert refusal(restaurant, menu(*dishes), {"ramen": 2}) is reason


def test_reservation_takes_stock_and_costs_the_exact_sum() -> None:
    card = menu(dish("ramen", "0.10", 5), dish("espresso", "2.40", 5))

    total = Reservation("o-1", ReservationState.ACCEPTED, "demo").take(card, {"ramen": 3, "espresso": 1})

    assert total == Money(Decimal("2.70"), "EUR")
    assert [one.stock for one in card.values()] == [2, 4]


@pytest.mark.parametrize("ends", list(permutations([ReservationState.CANCELLED, ReservationState.REFUSED])))
def test_stock_comes_back_once_whatever_ends_the_reservation_first(
    ends: tuple[ReservationState, ...],
) -> None:
    card = menu(dish("ramen", "13.80", 5))
    reservation = Reservation("o-1", ReservationState.ACCEPTED, "demo")
    reservation.take(card, {"ramen": 3})

    for end in ends:
        reservation.give_back(card, end)

    assert (card["ramen"].stock, reservation.state) == (5, ends[0])


def test_rejected_reservation_gives_nothing_back() -> None:
    card = menu(dish("ramen", "13.80", 5))
    reservation = Reservation("o-1", ReservationState.REJECTED, "demo")

    reservation.give_back(card, ReservationState.CANCELLED)

    assert (card["ramen"].stock, reservation.state) == (5, ReservationState.REJECTED)
