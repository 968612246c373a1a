"""Stock is exact, in whatever sequence and however often the restaurant hears of an order."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from bus.testing import ModuleUnderTest
from modules.restaurant.contract import (
    AcceptedLine,
    OrderAccepted,
    OrderCancelled,
    OrderedLine,
    OrderPlaced,
    OrderRejected,
    TicketRefused,
)
from modules.restaurant.demo import DISHES, STOCK
from modules.restaurant.tables import dishes

PLACED = OrderPlaced("o-1", "demo", (OrderedLine("ramen", 2), OrderedLine("ramen", 1)))
CANCELLED = OrderCancelled("o-1")
REFUSED = TicketRefused("o-1")

#: Each piece of news twice: a transport may repeat and reorder.
SEQUENCES = sorted(set(permutations([PLACED, PLACED, CANCELLED, CANCELLED, REFUSED])), key=repr)


def stock(restaurant: ModuleUnderTest, sku: str) -> int:
    menu = restaurant.container.reader().menu("demo", 100)
    return sum(dish["stock"] for dish in menu if dish["sku"] == sku)


def test_order_is_priced_and_taken_from_stock(restaurant: ModuleUnderTest) -> None:
    restaurant.hear(PLACED)

    (said,) = restaurant.published
    assert isinstance(said, OrderAccepted)
    assert said.lines == (AcceptedLine("ramen", "Shoyu Ramen", 3),)
    assert (str(said.total.amount), said.total.currency) == ("41.40", "EUR")
    assert stock(restaurant, "ramen") == STOCK - 3


def test_order_that_is_heard_of_twice_is_served_once(restaurant: ModuleUnderTest) -> None:
    restaurant.hear(PLACED)
    restaurant.hear(PLACED)

    assert len(restaurant.published) == 1
    assert stock(restaurant, "ramen") == STOCK - 3


@pytest.mark.parametrize("news", SEQUENCES)
def test_stock_is_whole_again_after_an_order_that_came_to_nothing(
    restaurant: ModuleUnderTest, news: tuple[object, ...]
) -> None:
    for piece in news:
        restaurant.hear(piece)

    assert stock(restaurant, "ramen") == STOCK
    assert len(restaurant.published) == (1 if news[0] is PLACED else 0)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (OrderPlaced("o-1", "nowhere", (OrderedLine("ramen", 1),)), "unknown_restaurant"),
        (OrderPlaced("o-1", "demo", (OrderedLine("haggis", 1),)), "unknown_dish"),
        (OrderPlaced("o-1", "demo", (OrderedLine("ramen", STOCK + 1),)), "out_of_stock"),
    ],
)
def test_order_that_cannot_be_served_is_rejected_and_takes_nothing(
    restaurant: ModuleUnderTest, order: OrderPlaced, reason: str
) -> None:
    restaurant.hear(order)
    restaurant.hear(CANCELLED)

    assert restaurant.published == [OrderRejected("o-1", reason)]
    assert stock(restaurant, "ramen") == STOCK


def test_last_dish_goes_to_the_first_order(restaurant: ModuleUnderTest) -> None:
    restaurant.hear(OrderPlaced("o-1", "demo", (OrderedLine("ramen", STOCK),)))
    restaurant.hear(OrderPlaced("o-2", "demo", (OrderedLine("ramen", 1),)))

    assert restaurant.published[1:] == [OrderRejected("o-2", "out_of_stock")]
    assert stock(restaurant, "ramen") == 0


def test_database_itself_keeps_stock_from_going_below_zero(restaurant: ModuleUnderTest) -> None:
    database = restaurant.container.database()
    sell_one_too_many = update(dishes).values(stock=dishes.c.stock - STOCK - 1)

    with pytest.raises(IntegrityError), database.transaction():
        database.session.execute(sell_one_too_many)

    assert stock(restaurant, "ramen") == STOCK


def test_demo_restaurant_has_six_dishes_with_prices(restaurant: ModuleUnderTest) -> None:
    menu = restaurant.container.reader().menu("demo", 100)

    assert {dish["sku"] for dish in menu} == {sku for sku, _, _ in DISHES}
    assert len(menu) == 6
