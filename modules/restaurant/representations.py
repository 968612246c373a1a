"""How restaurant shows restaurants and dishes."""

from __future__ import annotations

from modules.restaurant.model import Dish, Money, Restaurant


def show_restaurant(restaurant: Restaurant) -> dict[str, object]:
    """Return the restaurant as JSON shows it."""
    return {
        "restaurant_id": restaurant.restaurant_id,
        "name": restaurant.name,
        "currency": restaurant.currency,
        "open": restaurant.is_open,
    }


def show_dish(dish: Dish) -> dict[str, object]:
    """Return the dish as JSON shows it."""
    return {
        "sku": dish.sku,
        "name": dish.name,
        "price": show_money(dish.price),
        "stock": dish.stock,
        "available": dish.available,
    }


def show_money(money: Money) -> dict[str, str]:
    """Return the amount with two decimals, and its currency."""
    return {"amount": f"{money.amount:.2f}", "currency": money.currency}
