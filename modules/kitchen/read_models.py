"""What kitchen answers from: the board as cooks see it, and nothing that they may not have."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from modules.kitchen.tables import metadata

#: The tickets that were opened. The columns are the fields of the answer: dishes, neither prices nor customers.
board_tickets = Table(
    "board_tickets",
    metadata,
    Column("ticket_id", String(36), primary_key=True),
    Column("order_id", String(36), nullable=False),
    Column("status", String(20), nullable=False),
    Column("lines", JSON, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Index("board_tickets_by_status", "status", "ticket_id"),
)

#: How many tickets may be open or cooking at once; no row until somebody has said so.
board_capacity = Table(
    "board_capacity",
    metadata,
    Column("max_open_tickets", Integer, nullable=False),
)
