"""The tables of kitchen, and how its classes are kept in them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.ext.orderinglist import ordering_list
from sqlalchemy.orm import registry, relationship

from bus.columns import Moment, enum_by_value
from modules.kitchen.model import CAPACITY_ID, Capacity, Ticket, TicketLine, TicketStatus

metadata = MetaData()
mapper = registry(metadata=metadata)


tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", String(36), primary_key=True),
    Column("order_id", String(36), nullable=False, unique=True),
    Column(
        "status",
        enum_by_value(TicketStatus),
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
