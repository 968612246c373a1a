"""What keeps the read models of restaurant: listeners that run in the transaction of whatever changes a menu."""

from __future__ import annotations

from sqlalchemy import Table, bindparam, delete, insert, select, update

from bus import Database, listener, transactional
from modules.restaurant.events import DishSet, RestaurantSet, StockMoved
from modules.restaurant.model import Dish, Restaurant
from modules.restaurant.read_models import menu_dishes, menu_restaurants
from modules.restaurant.representations import show_money

#: Dishes that a rebuild holds in memory at once.
BATCH = 500


_SET_STOCK = update(menu_dishes).where(
    menu_dishes.c.restaurant_id == bindparam("of_restaurant"), menu_dishes.c.sku == bindparam("of_sku")
)


class MenuCards:
    """Keeps what anybody sees of restaurants and their menus."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @listener
    def set_restaurant(self, event: RestaurantSet) -> None:
        """Show a restaurant as it is now."""
        shown = {"name": event.name, "currency": event.currency, "open": event.is_open}
        self._put(menu_restaurants, {"restaurant_id": event.restaurant_id}, shown)

    @listener
    def set_dish(self, event: DishSet) -> None:
        """Show a dish as it is now."""
        dish = event.details
        shown = {"name": dish.name, "price": show_money(dish.price), "stock": dish.stock, "available": dish.available}
        self._put(menu_dishes, {"restaurant_id": event.restaurant_id, "sku": event.sku}, shown)

    @listener
    def set_stock(self, event: StockMoved) -> None:
        """Show how many of a dish are left."""
        moved = {"of_restaurant": event.restaurant_id, "of_sku": event.sku, "stock": event.stock}
        self.database.connection.execute(_SET_STOCK, moved)

    @transactional
    def rebuild(self) -> int:
        """Throw away what is shown and tell it again from the stored menus; return how many dishes there are."""
        session = self.database.session
        session.execute(delete(menu_dishes))
        session.execute(delete(menu_restaurants))
        for one in session.scalars(select(Restaurant).execution_options(yield_per=BATCH)):
            self.set_restaurant(RestaurantSet(one.restaurant_id, one.name, one.currency, one.is_open))
        dishes = 0
        for dish in session.scalars(select(Dish).execution_options(yield_per=BATCH)):
            self.set_dish(DishSet(dish.restaurant_id, dish.sku, dish.details()))
            dishes += 1
        return dishes

    def _put(self, table: Table, key: dict[str, str], shown: dict[str, object]) -> None:
        """Change the row with this key, or add it."""
        mine = [table.c[name] == value for name, value in key.items()]
        if self.database.session.connection().execute(update(table).where(*mine).values(**shown)).rowcount == 0:
            self.database.session.execute(insert(table).values(**key, **shown))
