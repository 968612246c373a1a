"""What order answers from: one row for each thing that is shown, and nothing that its reader may not have."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from modules.order.tables import metadata

#: What a customer follows. The columns are the fields of the answer; whose order it is, is not among them.
followed_orders = Table(
    "followed_orders",
    metadata,
    Column("order_id", String(36), primary_key=True),
    Column("status", String(20), nullable=False),
    Column("restaurant_id", String(64), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("total", JSON(none_as_null=True)),
    Column("reason", String(100)),
    Column("history", JSON, nullable=False),
    Index("followed_orders_by_status", "status", "order_id"),
)
