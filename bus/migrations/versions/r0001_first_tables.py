"""The bus's first tables: history, outbox, inbox with its attempts, pauses, quarantine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "bus_0001"
down_revision = None
branch_labels = ("bus",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_history()
    _make_outbox()
    _make_inbox()
    _make_attempts()
    _make_pauses()
    _make_quarantine()


def _make_history() -> None:
    op.create_table(
        "bus_event",
        _position(),
        sa.Column("id", _word(36), nullable=False),
        sa.Column("name", _word(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(200)),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("correlation_id", _word(200), nullable=False),
        sa.Column("causation_id", sa.String(200)),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("ancestry", sa.Text()),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_bus_event_correlation_id", "bus_event", ["correlation_id"])


def _make_outbox() -> None:
    op.create_table(
        "bus_outbox",
        sa.Column("target", _word(63), nullable=False),
        sa.Column("event_id", _word(36), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bus_outbox_due", "bus_outbox", ["target", "due_at"])


def _make_inbox() -> None:
    op.create_table(
        "bus_inbox",
        sa.Column("listener", _word(200), nullable=False),
        sa.Column("event_id", _word(36), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("took", sa.BigInteger()),
        sa.Column("event_name", _word(200)),
        sa.Column("event_key", sa.String(200)),
        sa.Column("event_time", sa.BigInteger()),
        sa.Column("error_type", sa.String(200)),
        sa.Column("error", sa.Text()),
        sa.Column("place", sa.String(300)),
        sa.Column("envelope", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("listener", "event_id"),
        sqlite_with_rowid=False,
    )
    _index_inbox("ix_bus_inbox_due", ["listener", "due_at"], state="retrying")
    _index_inbox("ix_bus_inbox_dead", ["due_at"], state="dead")
    _index_inbox("ix_bus_inbox_completed", ["due_at"], state="completed")


def _index_inbox(name: str, columns: list[str], *, state: str) -> None:
    rows = sa.text(f"state = '{state}'")
    op.create_index(name, "bus_inbox", columns, sqlite_where=rows, postgresql_where=rows)


def _make_attempts() -> None:
    op.create_table(
        "bus_attempt",
        _position(),
        sa.Column("event_id", _word(36), nullable=False),
        sa.Column("listener", _word(200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("error_type", sa.String(200)),
        sa.Column("error", sa.Text()),
        sa.Column("place", sa.String(300)),
        sa.Column("traceback", sa.Text()),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("ix_bus_attempt_publication", "bus_attempt", ["event_id", "listener"])


def _make_pauses() -> None:
    op.create_table(
        "bus_pause",
        sa.Column("target", _word(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target"),
    )


def _make_quarantine() -> None:
    op.create_table(
        "bus_quarantine",
        sa.Column("digest", _word(64), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _word(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
