"""What staff change of restaurants and their menus; a transaction each."""

from __future__ import annotations

from bus import Database, ModuleBus, transactional
from modules.restaurant.contract import MenuChanged, Price
from modules.restaurant.events import DishSet, RestaurantSet
from modules.restaurant.model import Dish, DishDetails, Restaurant


class RestaurantNotFoundError(Exception):
    """Raised when no restaurant has that id.

    Attributes:
        restaurant_id: The id.
    """

    def __init__(self, restaurant_id: str) -> None:
        self.restaurant_id = restaurant_id
        super().__init__(f"there is no restaurant {restaurant_id}")


class DishNotFoundError(Exception):
    """Raised when the restaurant's menu has no such dish.

    Attributes:
        restaurant_id: The restaurant.
        sku: The dish that it lacks.
    """

    def __init__(self, restaurant_id: str, sku: str) -> None:
        self.restaurant_id = restaurant_id
        self.sku = sku
        super().__init__(f"the menu of restaurant {restaurant_id} has no dish {sku}")


class ForeignCurrencyError(Exception):
    """Raised when a price is not in the restaurant's currency."""

    def __init__(self, restaurant: Restaurant, currency: str) -> None:
        super().__init__(f"restaurant {restaurant.restaurant_id} asks {restaurant.currency}, not {currency}")


class Menus:
    """Changes menus, and opens and closes restaurants."""

    def __init__(self, database: Database, bus: ModuleBus) -> None:
        self.database = database
        self._bus = bus

    @transactional
    def put_dish(self, restaurant_id: str, sku: str, details: DishDetails) -> tuple[Dish, bool]:
        """Put a dish on the menu or change it; return it, and whether it is new.

        Raises:
            RestaurantNotFoundError: No restaurant has that id.
            ForeignCurrencyError: The price is not in the restaurant's currency.
        """
        restaurant = self._restaurant(restaurant_id)
        if details.price.currency != restaurant.currency:
            raise ForeignCurrencyError(restaurant, details.price.currency)
        dish = self._dish(restaurant_id, sku)
        new = dish is None
        if dish is None:
            dish = Dish(restaurant_id, sku, details)
            self.database.session.add(dish)
        else:
            dish.change(details)
        self._announce(dish)
        return dish, new

    @transactional
    def set_available(self, restaurant_id: str, sku: str, *, available: bool) -> None:
        """Let a dish be ordered, or not for now.

        Raises:
            DishNotFoundError: The menu has no such dish.
        """
        dish = self._dish(restaurant_id, sku)
        if dish is None:
            raise DishNotFoundError(restaurant_id, sku)
        dish.available = available
        self._announce(dish)

    @transactional
    def set_open(self, restaurant_id: str, *, is_open: bool) -> Restaurant:
        """Open or close a restaurant.

        Raises:
            RestaurantNotFoundError: No restaurant has that id.
        """
        restaurant = self._restaurant(restaurant_id)
        restaurant.is_open = is_open
        self._bus.publish(RestaurantSet(restaurant_id, restaurant.name, restaurant.currency, is_open))
        return restaurant

    def _restaurant(self, restaurant_id: str) -> Restaurant:
        restaurant = self.database.session.get(Restaurant, restaurant_id, with_for_update=True)
        if restaurant is None:
            raise RestaurantNotFoundError(restaurant_id)
        return restaurant

    def _dish(self, restaurant_id: str, sku: str) -> Dish | None:
        return self.database.session.get(Dish, (restaurant_id, sku), with_for_update=True)

    def _announce(self, dish: Dish) -> None:
        self._bus.publish(DishSet(dish.restaurant_id, dish.sku, dish.details()))
        price = Price(dish.price.amount, dish.price.currency)
        self._bus.publish(MenuChanged(dish.restaurant_id, dish.sku, dish.name, price, dish.available))
