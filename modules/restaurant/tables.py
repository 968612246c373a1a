"""The tables of restaurant, and how its classes are kept in them."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.orm import registry, relationship
from sqlalchemy.types import TypeDecorator

from bus.columns import enum_by_value
from modules.restaurant.model import (
    Dish,
    Money,
    Reservation,
    ReservationState,
    ReservedLine,
    Restaurant,
)

metadata = MetaData()
mapper = registry(metadata=metadata)


class MoneyText(TypeDecorator[Money]):
    """Keeps money as text such as `12.50 EUR`: exact on every database."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> str | None:
        """Write the amount and its currency."""
        return None if value is None else f"{value.amount} {value.currency}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Money | None:
        """Read what was written."""
        if value is None:
            return None
        amount, currency = value.split(" ")
        return Money(Decimal(amount), currency)


restaurants = Table(
    "restaurants",
    metadata,
    Column("restaurant_id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("is_open", Boolean, nullable=False),
)

dishes = Table(
    "dishes",
    metadata,
    Column("restaurant_id", ForeignKey("restaurants.restaurant_id"), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("price", MoneyText, nullable=False),
    Column(
        "stock",
        Integer,
        CheckConstraint("stock >= 0", name="stock_never_below_zero"),
        nullable=False,
    ),
    Column("available", Boolean, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("order_id", String(36), primary_key=True),
    Column("restaurant_id", String(64)),
    Column(
        "state",
        enum_by_value(ReservationState),
        nullable=False,
    ),
)

reserved_lines = Table(
    "reserved_lines",
    metadata,
    Column("order_id", ForeignKey("reservations.order_id"), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("quantity", Integer, nullable=False),
)

mapper.map_imperatively(Restaurant, restaurants)
mapper.map_imperatively(Dish, dishes)
mapper.map_imperatively(ReservedLine, reserved_lines)
mapper.map_imperatively(
    Reservation,
    reservations,
    properties={"lines": relationship(ReservedLine, order_by=reserved_lines.c.sku, lazy="selectin")},
)
