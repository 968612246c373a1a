"""What happens in the restaurant, told inside it alone: application events, which no other module hears."""

from __future__ import annotations

from dataclasses import dataclass

from modules.restaurant.model import DishDetails


@dataclass(frozen=True, slots=True)
class RestaurantSet:
    """A restaurant is new, or has opened or closed."""

    restaurant_id: str
    name: str
    currency: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class DishSet:
    """A dish is new on a menu, or staff have changed it."""

    restaurant_id: str
    sku: str
    details: DishDetails


@dataclass(frozen=True, slots=True)
class StockMoved:
    """So many of a dish are left, for an order has taken some or given them back."""

    restaurant_id: str
    sku: str
    stock: int
