"""The tables of order, and how its classes are kept in them."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.ext.orderinglist import ordering_list
from sqlalchemy.orm import registry, relationship
from sqlalchemy.types import TypeDecorator

from bus.columns import Moment, enum_by_value
from modules.order.model import Money, Order, OrderLine, Step
from modules.order.status import OrderStatus

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


orders = Table(
    "orders",
    metadata,
    Column("order_id", String(36), primary_key=True),
    Column("restaurant_id", String(64), nullable=False),
    Column("customer_name", String(100), nullable=False),
    Column("customer_phone", String(40)),
    Column("status", enum_by_value(OrderStatus), nullable=False),
    Column("total", MoneyText),
    Column("reason", String(100)),
    Column("ticket_opened", Boolean, nullable=False),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", ForeignKey("orders.order_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("sku", String(64), nullable=False),
    Column("quantity", Integer, nullable=False),
)

order_history = Table(
    "order_history",
    metadata,
    Column("order_id", ForeignKey("orders.order_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("status", enum_by_value(OrderStatus), nullable=False),
    Column("at", Moment, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("order_id", ForeignKey("orders.order_id"), nullable=False),
    Column("forgotten_at", Moment, nullable=False, index=True),
)

mapper.map_imperatively(OrderLine, order_lines)
mapper.map_imperatively(Step, order_history)
mapper.map_imperatively(
    Order,
    orders,
    properties={
        "lines": relationship(
            OrderLine,
            order_by=order_lines.c.position,
            collection_class=ordering_list("position"),
        ),
        "history": relationship(
            Step,
            order_by=order_history.c.position,
            collection_class=ordering_list("position"),
            lazy="selectin",
        ),
    },
)
