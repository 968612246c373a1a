"""The routes of restaurant: what each operation takes and answers."""

from __future__ import annotations

from bus.integrations.operation import Answer, Operation, Routes, problem
from modules.restaurant.representations import DishShown, MenuPage, RestaurantPage, RestaurantShown
from modules.restaurant.requests import DishBody, MenuQuery, RestaurantId, RestaurantsQuery, Sku
from modules.restaurant.web import RestaurantViews

_ONE = {"restaurant_id": RestaurantId}
_DISH = {**_ONE, "sku": Sku}
_UNKNOWN = problem("There is no such restaurant.")
_CHANGED = {200: Answer("The restaurant.", RestaurantShown), 404: _UNKNOWN}
_RESTAURANTS = {200: Answer("A page of restaurants.", RestaurantPage)}
_MENU = {200: Answer("A page of the menu.", MenuPage), 404: _UNKNOWN}
_PUT = {
    200: Answer("The dish, changed.", DishShown),
    201: Answer("The dish, new on the menu.", DishShown),
    404: _UNKNOWN,
}


def create_routes(views: RestaurantViews) -> Routes:
    """Return the routes, to be mounted under the version of the HTTP interface."""
    one = "/restaurants/<restaurant_id>"
    return Routes(
        "restaurant",
        (
            Operation("GET", "/restaurants", views.browse, query=RestaurantsQuery, answers=_RESTAURANTS),
            Operation("GET", f"{one}/menu", views.menu, in_path=_ONE, query=MenuQuery, answers=_MENU),
            Operation("PUT", f"{one}/menu/<sku>", views.put_dish, in_path=_DISH, body=DishBody, answers=_PUT),
            Operation("POST", f"{one}/open", views.open, in_path=_ONE, answers=_CHANGED),
            Operation("POST", f"{one}/close", views.close, in_path=_ONE, answers=_CHANGED),
        ),
    )
