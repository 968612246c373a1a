"""The statements that write a transaction's events and what is owed: two on SQLite, one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Insert,
    Select,
    String,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from bus.database import Database
from bus.envelope import Envelope
from bus.outbox.store import Owing
from bus.prepared import Prepared, prepared
from bus.tables import bus_event, bus_outbox

#: Writes events and what is owed into a transaction.
Add = Callable[[Connection, Sequence[Envelope], Sequence[Owing]], None]

#: The columns that an event and an owed one are written with, in the order of the rows below.
_EVENT = tuple(
    bus_event.c[name]
    for name in (
        "id",
        "name",
        "version",
        "key",
        "time",
        "correlation_id",
        "causation_id",
        "traceparent",
        "ancestry",
        "payload",
    )
)
_THIS_TRANSACTION: ColumnElement[int] = literal_column("CAST(CAST(pg_current_xact_id() AS text) AS bigint)")
_OWED = tuple(bus_outbox.c[name] for name in ("target", "event_id", "due_at", "sends"))


def adding_in(database: Database, now: ColumnElement[int]) -> Add:
    """Return what writes events and what is owed; it commits nothing itself.

    Args:
        database: Where they are written.
        now: The present moment as a statement takes it.
    """
    return _adding_at_once(database, now) if database.is_postgresql else _adding_in_turn(database.engine.dialect, now)


def _adding_in_turn(dialect: Dialect, now: ColumnElement[int]) -> Add:
    add_events = prepared(insert(bus_event).inline().values(_bound("event", _EVENT)), dialect)
    add_owed = prepared(insert(bus_outbox).inline().values(_bound_to_be_due("owed", now)), dialect)
    event, owing = _names("event", _EVENT), _names("owed", _OWED)

    def add(connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        add_events.execute(connection, *(_named(event, _event_row(envelope)) for envelope in envelopes))
        if owed:
            add_owed.execute(connection, *(_named(owing, _owed_row(found)) for found in owed))

    return add


def _adding_at_once(database: Database, now: ColumnElement[int]) -> Add:
    """Return what writes any number of rows with one data-modifying statement.

    One event has a statement without arrays, as nearly every transaction has one, and it goes out with the COMMIT: so a
    publication has no round trip of its own.
    """
    for_one: dict[int, Prepared] = {}
    for_many = _statement_for_many(now)

    def add(connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        if len(envelopes) == 1:
            if len(owed) not in for_one:
                for_one[len(owed)] = prepared(_statement_for_one(len(owed), now), database.engine.dialect)
            row = _event_row(envelopes[0])
            for owing in owed:
                row += _owed_row(owing)
            database.write_last(connection, for_one[len(owed)], _named(_names_for_one(len(owed)), row))
        else:
            events = _columns("event", _EVENT, [_event_row(envelope) for envelope in envelopes])
            connection.execute(for_many, events | _columns("owed", _OWED, [_owed_row(owing) for owing in owed]))

    return add


def _statement_for_one(owed: int, now: ColumnElement[int]) -> Insert:
    """Return the statement that writes one event, and what is owed to this many modules."""
    values = _bound("event", _EVENT) | {bus_event.c.transaction_id: _THIS_TRANSACTION}
    statement = insert(bus_event).inline().values(values)
    for number in range(owed):
        written = statement.cte(f"written_{number}")
        statement = insert(bus_outbox).inline().values(_bound_to_be_due(f"owed_{number}", now)).add_cte(written)
    return statement


def _bound(prefix: str, columns: Sequence[Column[Any]]) -> dict[Column[Any], ColumnElement[Any]]:
    """Return each column with its parameter."""
    return {column: bindparam(f"{prefix}_{column.name}", type_=column.type) for column in columns}


def _bound_to_be_due(prefix: str, now: ColumnElement[int]) -> dict[Column[Any], ColumnElement[Any]]:
    """Return the same of what is owed, whose parameter `due_at` is the time from now."""
    values = _bound(prefix, _OWED)
    return values | {bus_outbox.c.due_at: now + values[bus_outbox.c.due_at]}


@cache
def _names(prefix: str, columns: Sequence[Column[Any]]) -> tuple[str, ...]:
    """Return the names of the parameters of `_bound`."""
    return tuple(f"{prefix}_{column.name}" for column in columns)


@cache
def _names_for_one(owed: int) -> tuple[str, ...]:
    """Return the names of the parameters of `_statement_for_one`: those of the event, then of each that is owed."""
    names = _names("event", _EVENT)
    for number in range(owed):
        names += _names(f"owed_{number}", _OWED)
    return names


def _named(names: Sequence[str], row: Sequence[object]) -> dict[str, object]:
    """Return a row as the parameters of `_bound`."""
    return dict(zip(names, row, strict=True))


def _statement_for_many(now: ColumnElement[int]) -> Executable:
    """Return the statement that writes any number of each; its text is always the same, as each column is an array."""
    events = _unnested("event", _EVENT)
    columns = [*_columns_of(_EVENT), bus_event.c.transaction_id.name]
    added = insert(bus_event).from_select(columns, events.add_columns(_THIS_TRANSACTION)).cte("added")
    owed = _unnested("owed", _OWED).subquery()
    due = select(owed.c.target, owed.c.event_id, now + owed.c.due_at, owed.c.sends)
    return insert(bus_outbox).from_select(_columns_of(_OWED), due).add_cte(added)


def _unnested(prefix: str, columns: Sequence[Any]) -> Select[Any]:
    """Return rows whose columns are parameters, one array each, in their order."""
    arrays = [bindparam(f"{prefix}_{column.name}", type_=ARRAY(_untrimmed(column.type))) for column in columns]
    rows = func.unnest(*arrays).table_valued(*_columns_of(columns), with_ordinality="n", name=prefix).render_derived()
    return select(*(rows.c[column.name] for column in columns)).order_by(rows.c.n)


def _untrimmed(found: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type without its length: a cast to that would cut what is too long, where an insert refuses it."""
    return Text() if isinstance(found, String) else found


def _columns(prefix: str, columns: Sequence[Any], rows: Sequence[Sequence[object]]) -> dict[str, list[object]]:
    """Return the parameters of `_unnested`."""
    return {name: [row[i] for row in rows] for i, name in enumerate(_names(prefix, columns))}


def _columns_of(columns: Sequence[Any]) -> list[str]:
    return [column.name for column in columns]


def _event_row(envelope: Envelope) -> tuple[object, ...]:
    return (
        envelope.id,
        envelope.type,
        envelope.version,
        envelope.subject,
        envelope.time,
        envelope.correlationid,
        envelope.causationid,
        envelope.traceparent,
        " ".join(envelope.ancestry) or None,
        envelope.data,
    )


def _owed_row(owing: Owing) -> tuple[object, ...]:
    return (owing.target, owing.event_id, owing.due_in, owing.sends)
