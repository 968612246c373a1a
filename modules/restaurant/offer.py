"""The menu for whoever takes orders: a part of a form, which another module's panel may have a place for."""

from __future__ import annotations

from flask import render_template, request
from markupsafe import Markup

from modules.restaurant.read import MenuReader

#: Restaurants to choose from, and dishes of the chosen one, that are shown.
SHOWN_RESTAURANTS, SHOWN_DISHES = 12, 50


class MenuOffer:
    """Shows the dishes of one restaurant as inputs of a form: `restaurant_id`, and `quantity.<sku>` for each."""

    def __init__(self, reader: MenuReader) -> None:
        self._reader = reader

    def render(self) -> Markup:
        """Return the inputs for the restaurant that the query names, or for the first one."""
        restaurants = self._reader.restaurants(SHOWN_RESTAURANTS)
        if not restaurants:
            return Markup()
        wanted = request.args.get("restaurant")
        chosen = next((one for one in restaurants if one["restaurant_id"] == wanted), restaurants[0])
        dishes = self._reader.menu(str(chosen["restaurant_id"]), SHOWN_DISHES)
        first = next((dish["sku"] for dish in dishes if dish["available"] and dish["stock"]), None)
        html = render_template(
            "restaurant/offer.html", restaurants=restaurants, chosen=chosen, dishes=dishes, first=first
        )
        return Markup(html)
