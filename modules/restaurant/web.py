"""The HTTP interface of restaurant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask.typing import ResponseReturnValue

from bus.integrations.http import Problem, page, shown
from modules.restaurant.menus import (
    DishNotFoundError,
    ForeignCurrencyError,
    Menus,
    RestaurantNotFoundError,
)
from modules.restaurant.read import MenuReader
from modules.restaurant.representations import show_dish, show_restaurant
from modules.restaurant.requests import DishBody, MenuQuery, RestaurantsQuery, check_sku


class RestaurantViews:
    """Answers the requests for restaurants and menus."""

    def __init__(self, menus: Menus, reader: MenuReader) -> None:
        self._menus = menus
        self._reader = reader

    def browse(self, query: RestaurantsQuery) -> ResponseReturnValue:
        """Return a page of restaurants."""
        items = self._reader.restaurants(query.limit + 1, after=query.after)
        return page(items, key="restaurant_id", limit=query.limit)

    def menu(self, restaurant_id: str, query: MenuQuery) -> ResponseReturnValue:
        """Return a page of a menu."""
        with restaurant_problems():
            items = self._reader.menu(restaurant_id, query.limit + 1, after=query.after)
        return page(items, key="sku", limit=query.limit)

    def put_dish(self, restaurant_id: str, sku: str, body: DishBody) -> ResponseReturnValue:
        """Put a dish on the menu, or change it."""
        with restaurant_problems():
            dish, new = self._menus.put_dish(restaurant_id, check_sku(sku), body.details())
        return show_dish(dish), 201 if new else 200

    def open(self, restaurant_id: str) -> ResponseReturnValue:
        """Open a restaurant."""
        with restaurant_problems():
            return show_restaurant(self._menus.set_open(restaurant_id, is_open=True))

    def close(self, restaurant_id: str) -> ResponseReturnValue:
        """Close a restaurant."""
        with restaurant_problems():
            return show_restaurant(self._menus.set_open(restaurant_id, is_open=False))


@contextmanager
def restaurant_problems() -> Iterator[None]:
    """Turn what restaurant refuses into problem documents: 404, and 422 for a foreign currency."""
    try:
        yield
    except RestaurantNotFoundError as error:
        raise Problem(404, f"there is no restaurant {shown(error.restaurant_id)}") from error
    except DishNotFoundError as error:
        where, what = shown(error.restaurant_id), shown(error.sku)
        raise Problem(404, f"the menu of restaurant {where} has no dish {what}") from error
    except ForeignCurrencyError as error:
        raise Problem(422, str(error), field="price.currency") from error
