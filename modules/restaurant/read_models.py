"""What restaurant answers from: menus as anybody may see them; of orders there is nothing in them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Integer, String, Table

from modules.restaurant.tables import metadata

#: The columns are the fields of the answer.
menu_restaurants = Table(
    "menu_restaurants",
    metadata,
    Column("restaurant_id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("open", Boolean, nullable=False),
)

#: The columns behind `restaurant_id` are the fields of the answer.
menu_dishes = Table(
    "menu_dishes",
    metadata,
    Column("restaurant_id", String(64), primary_key=True),
    Column("sku", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("price", JSON, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("available", Boolean, nullable=False),
)
