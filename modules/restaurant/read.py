"""What anybody sees of restaurants and menus; reading waits for no writer, and finds what was just written."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select

from bus import Database
from modules.restaurant.menus import RestaurantNotFoundError
from modules.restaurant.read_models import menu_dishes, menu_restaurants
from modules.restaurant.representations import DishShown, RestaurantShown

_DISH = [column for column in menu_dishes.c if column is not menu_dishes.c.restaurant_id]


class MenuReader:
    """Reads restaurants and menus as they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def restaurants(self, limit: int, *, after: str | None = None) -> list[RestaurantShown]:
        """Return at most so many restaurants by id, from behind the restaurant `after` on."""
        query = select(menu_restaurants).order_by(menu_restaurants.c.restaurant_id).limit(limit)
        if after is not None:
            query = query.where(menu_restaurants.c.restaurant_id > after)
        with self._database.read() as session:
            return [cast(RestaurantShown, dict(found)) for found in session.execute(query).mappings()]

    def menu(self, restaurant_id: str, limit: int, *, after: str | None = None) -> list[DishShown]:
        """Return at most so many dishes of a menu by sku, from behind the dish `after` on.

        Raises:
            RestaurantNotFoundError: No restaurant has that id.
        """
        known = select(menu_restaurants.c.restaurant_id).where(menu_restaurants.c.restaurant_id == restaurant_id)
        query = select(*_DISH).where(menu_dishes.c.restaurant_id == restaurant_id)
        query = query.order_by(menu_dishes.c.sku).limit(limit)
        if after is not None:
            query = query.where(menu_dishes.c.sku > after)
        with self._database.read() as session:
            if session.scalar(known) is None:
                raise RestaurantNotFoundError(restaurant_id)
            return [cast(DishShown, dict(found)) for found in session.execute(query).mappings()]
