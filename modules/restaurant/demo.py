"""The restaurant that an empty database begins with."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bus import Database, ModuleBus, transactional
from modules.restaurant.events import DishSet, RestaurantSet
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

    def __init__(self, database: Database, bus: ModuleBus) -> None:
        self.database = database
        self._bus = bus

    def run(self) -> str | None:
        """Make the restaurant and its menu where there is none; return the sentence that says so.

        Asked at every start, for the first one may have died before it came to this.
        """
        with self.database.read() as session:
            return None if _has_restaurant(session) else self._make()

    @transactional
    def _make(self) -> str | None:
        session = self.database.session
        # Another process may have made it while this one waited for the write lock, or makes it now.
        if _has_restaurant(session):
            return None
        try:
            with self.database.savepoint():
                session.add(Restaurant("demo", "Demo Trattoria", "EUR"))
                session.flush()
        except IntegrityError:
            return None
        self._bus.publish(RestaurantSet("demo", "Demo Trattoria", "EUR", is_open=True))
        for sku, name, amount in DISHES:
            details = DishDetails(name, Money(Decimal(amount), "EUR"), STOCK)
            session.add(Dish("demo", sku, details))
            self._bus.publish(DishSet("demo", sku, details))
        return f"The database was empty: it has the restaurant demo now, with {len(DISHES)} dishes."


def _has_restaurant(session: Session) -> bool:
    return session.scalar(select(Restaurant).limit(1)) is not None
