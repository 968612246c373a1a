"""The restaurant's side of the counter: the panel on the page, and where its forms go."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus.integrations.http import back_to_page, read_form
from modules.restaurant.menus import Menus
from modules.restaurant.read import MenuReader
from modules.restaurant.requests import AvailabilityForm
from modules.restaurant.web import restaurant_problems

#: Restaurants, and dishes of each, that the panel shows.
SHOWN_RESTAURANTS, SHOWN_DISHES = 5, 50


class RestaurantPanel:
    """Shows the restaurants, their menus and what is left of each dish."""

    def __init__(self, reader: MenuReader) -> None:
        self._reader = reader

    def render(self, _parts: Mapping[str, Markup]) -> Markup:
        """Return the panel as HTML."""
        restaurants = self._reader.restaurants(SHOWN_RESTAURANTS)
        menus = [(one, self._reader.menu(str(one["restaurant_id"]), SHOWN_DISHES)) for one in restaurants]
        return Markup(render_template("restaurant/panel.html", menus=menus))


class RestaurantForms:
    """Takes what staff send from the panel, and leads back to the page."""

    def __init__(self, menus: Menus) -> None:
        self._menus = menus

    def open(self, restaurant_id: str) -> ResponseReturnValue:
        """Open a restaurant."""
        with restaurant_problems():
            self._menus.set_open(restaurant_id, is_open=True)
        return back_to_page()

    def close(self, restaurant_id: str) -> ResponseReturnValue:
        """Close a restaurant."""
        with restaurant_problems():
            self._menus.set_open(restaurant_id, is_open=False)
        return back_to_page()

    def offer(self, restaurant_id: str, sku: str) -> ResponseReturnValue:
        """Take a dish off the menu, or put it back."""
        form = read_form(AvailabilityForm)
        with restaurant_problems():
            self._menus.set_available(restaurant_id, sku, available=form.available)
        return back_to_page()


def create_forms(forms: RestaurantForms) -> Blueprint:
    """Return the routes of the panel's forms, to be mounted under the module's name."""
    blueprint = Blueprint("restaurant_forms", __name__, template_folder="templates", static_folder="static")
    blueprint.add_url_rule("/<restaurant_id>/open", view_func=forms.open, methods=["POST"])
    blueprint.add_url_rule("/<restaurant_id>/close", view_func=forms.close, methods=["POST"])
    blueprint.add_url_rule("/<restaurant_id>/menu/<sku>", view_func=forms.offer, methods=["POST"])
    return blueprint
