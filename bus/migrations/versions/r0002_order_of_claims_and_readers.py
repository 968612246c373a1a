"""What claims go by, and what readers go by where positions become visible out of their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "bus_0002"
down_revision = "bus_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note the transaction that wrote an event, and index what is owed in the order of its claim."""
    op.add_column("bus_event", sa.Column("transaction_id", sa.BigInteger(), server_default="0", nullable=False))
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_bus_event_place", "bus_event", ["transaction_id", "position"])
    op.drop_index("ix_bus_outbox_due", "bus_outbox")
    op.create_index("ix_bus_outbox_due", "bus_outbox", ["target", "due_at", "event_id"])
