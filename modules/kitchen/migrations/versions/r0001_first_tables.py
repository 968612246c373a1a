"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_first_tables"
down_revision = None
branch_labels = ("kitchen",)
depends_on = None


def upgrade() -> None:
    """First tables."""
    op.create_table("board_capacity", sa.Column("max_open_tickets", sa.Integer(), nullable=False))
    op.create_table(
        "board_tickets",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    op.create_index("board_tickets_by_status", "board_tickets", ["status", "ticket_id"], unique=False)
    op.create_table(
        "capacity",
        sa.Column("capacity_id", sa.Integer(), nullable=False),
        sa.Column("max_open_tickets", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity_id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("capacity_id"),
    )
    op.create_table(
        "tickets",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "cooking", "done", "void", name="ticketstatus", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ticket_id"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_index("tickets_by_status", "tickets", ["status", "ticket_id"], unique=False)
    op.create_table(
        "ticket_lines",
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.ticket_id"],
        ),
        sa.PrimaryKeyConstraint("ticket_id", "position"),
    )
