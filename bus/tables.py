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
from sqlalchemy.types import TypeEngine

#: Every time is whole microseconds since the epoch: one type on every database, and exact arithmetic.
Time = BigInteger


def Word(length: int) -> TypeEngine[str]:  # noqa: N802 - it stands where a type stands
    """Return the type of an id or a name: on every database they sort as their characters do, in no language."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


#: A number that rises with every row.
Position = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _only(state: str, name: str, *columns: str | ColumnElement[int]) -> Index:
    """Return an index of the inbox that holds the rows of one state alone, so that others never slow it."""
    rows = text(f"state = '{state}'")
    return Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


#: Append-only history of every event that the module ever published. `ancestry`: names parted by blanks, oldest first.
#: `transaction_id`: which transaction wrote it on PostgreSQL, where a lower position may become visible later than a
#: higher one; on SQLite, where that cannot happen, 0.
bus_event = Table(
    "bus_event",
    metadata,
    Column("position", Position, primary_key=True),
    Column("id", Word(36), nullable=False, unique=True),
    Column("name", Word(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", String(200)),
    Column("time", Time, nullable=False),
    Column("correlation_id", Word(200), nullable=False, index=True),
    Column("causation_id", String(200)),
    Column("traceparent", String(55)),
    Column("ancestry", Text),
    Column("payload", LargeBinary, nullable=False),
    Column("transaction_id", BigInteger, nullable=False, server_default="0"),
)
Index("ix_bus_event_place", bus_event.c.transaction_id, bus_event.c.position).ddl_if(dialect="postgresql")

#: What is still owed to a module. `due_at`: when it is sent again; `sends`: how often it was.
bus_outbox = Table(
    "bus_outbox",
    metadata,
    Column("target", Word(63), primary_key=True),
    Column("event_id", Word(36), primary_key=True),
    Column("due_at", Time, nullable=False),
    Column("sends", Integer, nullable=False),
    # The order of a claim, so that a long backlog is not sorted for each of them.
    Index("ix_bus_outbox_due", "target", "due_at", "event_id"),
    sqlite_with_rowid=False,
)

#: How each listener fares with each event. `due_at`: retrying, when it is run next; otherwise when it ended.
#: `took`: microseconds of the run that completed it. `event_name` to `envelope`: while it may be needed.
bus_inbox = Table(
    "bus_inbox",
    metadata,
    Column("listener", Word(200), primary_key=True),
    Column("event_id", Word(36), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("reason", String(40)),
    Column("starts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("took", BigInteger),
    Column("event_name", Word(200)),
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
    Column("event_id", Word(36), nullable=False),
    Column("listener", Word(200), nullable=False),
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
    Column("target", Word(200), primary_key=True),
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
    Column("digest", Word(64), primary_key=True),
    Column("first_at", Time, nullable=False),
    Column("last_at", Time, nullable=False),
    Column("times", Integer, nullable=False),
    Column("origin", String(200), nullable=False),
    Column("problem", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
