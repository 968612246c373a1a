"""What anybody sees of restaurants and menus; reading waits for no writer."""

from __future__ import annotations

from sqlalchemy import select

from bus import Database
from modules.restaurant.menus import RestaurantNotFoundError
from modules.restaurant.model import Dish, Restaurant
from modules.restaurant.representations import DishShown, RestaurantShown, show_dish, show_restaurant
from modules.restaurant.tables import dishes, restaurants


class MenuReader:
    """Reads restaurants and menus as they are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def restaurants(self, limit: int, *, after: str | None = None) -> list[RestaurantShown]:
        """Return at most so many restaurants by id, from behind the restaurant `after` on."""
        query = select(Restaurant).order_by(restaurants.c.restaurant_id).limit(limit)
        if after is not None:
            query = query.where(restaurants.c.restaurant_id > after)
        with self._database.read() as session:
            return [show_restaurant(restaurant) for restaurant in session.scalars(query)]

    def menu(self, restaurant_id: str, limit: int, *, after: str | None = None) -> list[DishShown]:
        """Return at most so many dishes of a menu by sku, from behind the dish `after` on.

        Raises:
            RestaurantNotFoundError: No restaurant has that id.
        """
        query = select(Dish).where(dishes.c.restaurant_id == restaurant_id).order_by(dishes.c.sku).limit(limit)
        if after is not None:
            query = query.where(dishes.c.sku > after)
        with self._database.read() as session:
            if session.get(Restaurant, restaurant_id) is None:
                raise RestaurantNotFoundError(restaurant_id)
            return [show_dish(dish) for dish in session.scalars(query)]
