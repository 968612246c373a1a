"""The restaurant that an empty database begins with."""

from __future__ import annotations

from decimal import Decimal

from bus import Database, transactional
from modules.restaurant.model import Dish, DishDetails, Money, Restaurant

STOCK = 1_000_000
DISHES = (
    ("margherita", "Pizza Margherita", "9.50"),
    ("carbonara", "Spaghetti alla Carbonara", "12.50"),
    ("ramen", "Shoyu Ramen", "13.80"),
    ("bibimbap", "Bibimbap", "12.90"),
    ("tiramisu", "Tiramisù", "6.20"),
    ("espresso", "Espresso", "2.40"),
)


class DemoMenu:
    """Makes the restaurant `demo`, so that the first order needs no preparation."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @transactional
    def run(self) -> str:
        """Make the restaurant and its menu; return the sentence that says so."""
        session = self.database.session
        session.add(Restaurant("demo", "Demo Trattoria", "EUR"))
        session.flush()
        for sku, name, amount in DISHES:
            session.add(Dish("demo", sku, DishDetails(name, Money(Decimal(amount), "EUR"), STOCK)))
        return f"The database was empty: it has the restaurant demo now, with {len(DISHES)} dishes."
