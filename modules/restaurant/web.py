"""The HTTP interface of restaurant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint
from flask.typing import ResponseReturnValue

from bus.integrations.http import Problem, page, read_body, read_page, shown
from modules.restaurant.menus import (
    DishNotFoundError,
    ForeignCurrencyError,
    Menus,
    RestaurantNotFoundError,
)
from modules.restaurant.read import MenuReader
from modules.restaurant.representations import show_dish, show_restaurant
from modules.restaurant.requests import NAME, DishBody, check_sku


class RestaurantViews:
    """Answers the requests for restaurants and menus."""

    def __init__(self, menus: Menus, reader: MenuReader) -> None:
        self._menus = menus
        self._reader = reader

    def browse(self) -> ResponseReturnValue:
        """Return a page of restaurants."""
        wanted = read_page(NAME)
        items = self._reader.restaurants(wanted.limit + 1, after=wanted.after)
        return page(items, key="restaurant_id", limit=wanted.limit)

    def menu(self, restaurant_id: str) -> ResponseReturnValue:
        """Return a page of a menu."""
        wanted = read_page(NAME)
        with restaurant_problems():
            items = self._reader.menu(restaurant_id, wanted.limit + 1, after=wanted.after)
        return page(items, key="sku", limit=wanted.limit)

    def put_dish(self, restaurant_id: str, sku: str) -> ResponseReturnValue:
        """Put a dish on the menu, or change it."""
        details = read_body(DishBody).details()
        with restaurant_problems():
            dish, new = self._menus.put_dish(restaurant_id, check_sku(sku), details)
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


def create_blueprint(views: RestaurantViews) -> Blueprint:
    """Return the routes of restaurant, to be mounted under the version of the HTTP interface."""
    blueprint = Blueprint("restaurant", __name__)
    one = "/restaurants/<restaurant_id>"
    blueprint.add_url_rule("/restaurants", view_func=views.browse, methods=["GET"])
    blueprint.add_url_rule(f"{one}/menu", view_func=views.menu, methods=["GET"])
    blueprint.add_url_rule(f"{one}/menu/<sku>", view_func=views.put_dish, methods=["PUT"])
    blueprint.add_url_rule(f"{one}/open", view_func=views.open, methods=["POST"])
    blueprint.add_url_rule(f"{one}/close", view_func=views.close, methods=["POST"])
    return blueprint
