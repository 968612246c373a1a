"""The bus's own tables, one set in each module's database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

#: Every time is whole microseconds since the epoch: one type on every database, and exact arithmetic.
Time = BigInteger

metadata = MetaData()

#: Append-only history of every event that the module ever published. `ancestry`: names parted by blanks, oldest first.
bus_event = Table(
    "bus_event",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", String(200)),
    Column("time", Time, nullable=False),
    Column("correlation_id", String(200), nullable=False),
    Column("causation_id", String(200)),
    Column("traceparent", String(55)),
    Column("ancestry", Text),
    Column("payload", LargeBinary, nullable=False),
)

#: What is still owed to a module. `due_at`: when it is sent again; `sends`: how often it was.
bus_outbox = Table(
    "bus_outbox",
    metadata,
    Column("target", String(63), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("due_at", Time, nullable=False),
    Column("sends", Integer, nullable=False),
    Index("ix_bus_outbox_due", "target", "due_at"),
    sqlite_with_rowid=False,
)

#: How each listener fares with each event. `due_at`: retrying, when it is run next; completed, when it was.
bus_inbox = Table(
    "bus_inbox",
    metadata,
    Column("listener", String(200), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),
    Column("starts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("error", Text),
    Column("envelope", LargeBinary),
    Index(
        "ix_bus_inbox_due",
        "due_at",
        sqlite_where=text("state = 'retrying'"),
        postgresql_where=text("state = 'retrying'"),
    ),
    sqlite_with_rowid=False,
)
