"""The tables of kitchen, and how its classes are kept in them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.ext.orderinglist import ordering_list
from sqlalchemy.orm import registry, relationship
from sqlalchemy.types import TypeDecorator

from modules.kitchen.model import CAPACITY_ID, Capacity, Ticket, TicketLine, TicketStatus

metadata = MetaData()
mapper = registry(metadata=metadata)


class Moment(TypeDecorator[datetime]):
    """Keeps an aware moment in UTC, on databases that know no time zones too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write the moment as UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read the moment as aware, whether or not the database kept its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", String(36), primary_key=True),
    Column("order_id", String(36), nullable=False, unique=True),
    Column(
        "status",
        Enum(
            TicketStatus,
            native_enum=False,
            length=20,
            values_callable=lambda kind: [s.value for s in kind],
        ),
        nullable=False,
    ),
    Column("opened_at", Moment),
    Index("tickets_by_status", "status", "ticket_id"),
)

ticket_lines = Table(
    "ticket_lines",
    metadata,
    Column("ticket_id", ForeignKey("tickets.ticket_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("quantity", Integer, nullable=False),
)

capacity = Table(
    "capacity",
    metadata,
    Column("capacity_id", Integer, CheckConstraint(f"capacity_id = {CAPACITY_ID}", name="one_row"), primary_key=True),
    Column("max_open_tickets", Integer, nullable=False),
)

mapper.map_imperatively(TicketLine, ticket_lines)
mapper.map_imperatively(Capacity, capacity)
mapper.map_imperatively(
    Ticket,
    tickets,
    properties={
        "lines": relationship(
            TicketLine,
            order_by=ticket_lines.c.position,
            collection_class=ordering_list("position"),
            lazy="selectin",
        ),
    },
)
