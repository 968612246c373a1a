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
from sqlalchemy.sql.elements import ColumnElement

#: Every time is whole microseconds since the epoch: one type on every database, and exact arithmetic.
Time = BigInteger

#: A number that rises with every row.
Position = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _only(state: str, name: str, *columns: str | ColumnElement[int]) -> Index:
    """Return an index of the inbox that holds the rows of one state alone, so that others never slow it."""
    rows = text(f"state = '{state}'")
    return Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


#: Append-only history of every event that the module ever published. `ancestry`: names parted by blanks, oldest first.
bus_event = Table(
    "bus_event",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", String(200)),
    Column("time", Time, nullable=False),
    Column("correlation_id", String(200), nullable=False, index=True),
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

#: How each listener fares with each event. `due_at`: retrying, when it is run next; otherwise when it ended.
#: `took`: microseconds of the run that completed it. `event_name` to `envelope`: while it may be needed.
bus_inbox = Table(
    "bus_inbox",
    metadata,
    Column("listener", String(200), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),
    Column("starts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("took", BigInteger),
    Column("event_name", String(200)),
    Column("event_key", String(200)),
    Column("event_time", Time),
    Column("error_type", String(200)),
    Column("error", Text),
    Column("place", String(300)),
    Column("envelope", LargeBinary),
    _only("retrying", "ix_bus_inbox_due", "listener", "due_at"),
    _only("dead", "ix_bus_inbox_dead", "due_at"),
    _only("completed", "ix_bus_inbox_completed", "due_at"),
    sqlite_with_rowid=False,
)

#: The history of a publication's troubles: failed and crashed runs, and what an operator did about them.
bus_attempt = Table(
    "bus_attempt",
    metadata,
    Column("position", Position, primary_key=True),
    Column("event_id", String(36), nullable=False),
    Column("listener", String(200), nullable=False),
    Column("at", Time, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("error_type", String(200)),
    Column("error", Text),
    Column("place", String(300)),
    Column("traceback", Text),
    Index("ix_bus_attempt_publication", "event_id", "listener"),
)

#: What is not run for a while: a listener, or a whole module. `until`: when that ends; NULL: when somebody resumes it.
bus_pause = Table(
    "bus_pause",
    metadata,
    Column("target", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("who", String(200), nullable=False),
    Column("since", Time, nullable=False),
    Column("until", Time),
    Column("probes", Integer, nullable=False),
)

#: Bytes that were no envelope: at most the first 64 KiB of them.
bus_quarantine = Table(
    "bus_quarantine",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("first_at", Time, nullable=False),
    Column("last_at", Time, nullable=False),
    Column("times", Integer, nullable=False),
    Column("origin", String(200), nullable=False),
    Column("problem", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
