"""How restaurant shows restaurants and dishes."""

from __future__ import annotations

from typing import Annotated, TypedDict

from msgspec import Meta

from modules.restaurant.model import Dish, Money, Restaurant


class RestaurantShown(TypedDict):
    """A restaurant, and whether it takes orders."""

    restaurant_id: Annotated[str, Meta(examples=["demo"])]
    name: Annotated[str, Meta(examples=["Demo Trattoria"])]
    currency: Annotated[str, Meta(examples=["EUR"])]
    open: bool


class RestaurantPage(TypedDict):
    """A page of restaurants."""

    items: list[RestaurantShown]
    next: Annotated[str | None, Meta(description="The `after` of the next page.", examples=[None])]


class PriceShown(TypedDict):
    """An exact amount, with two decimals."""

    amount: Annotated[str, Meta(examples=["8.50"])]
    currency: Annotated[str, Meta(examples=["EUR"])]


class DishShown(TypedDict):
    """A dish on a menu."""

    sku: Annotated[str, Meta(examples=["margherita"])]
    name: Annotated[str, Meta(examples=["Pizza Margherita"])]
    price: PriceShown
    stock: Annotated[int, Meta(examples=[40])]
    available: bool


class MenuPage(TypedDict):
    """A page of a menu."""

    items: list[DishShown]
    next: Annotated[str | None, Meta(description="The `after` of the next page.", examples=[None])]


def show_restaurant(restaurant: Restaurant) -> RestaurantShown:
    """Return the restaurant as JSON shows it."""
    return {
        "restaurant_id": restaurant.restaurant_id,
        "name": restaurant.name,
        "currency": restaurant.currency,
        "open": restaurant.is_open,
    }


def show_dish(dish: Dish) -> DishShown:
    """Return the dish as JSON shows it."""
    return {
        "sku": dish.sku,
        "name": dish.name,
        "price": show_money(dish.price),
        "stock": dish.stock,
        "available": dish.available,
    }


def show_money(money: Money) -> PriceShown:
    """Return the amount with two decimals, and its currency."""
    return {"amount": f"{money.amount:.2f}", "currency": money.currency}
