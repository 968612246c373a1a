"""The statements that write a transaction's events and what is owed: two on SQLite, one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from bus.prepared import Prepared
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
    adding = _adding_at_once if database.is_postgresql else _adding_in_turn
    return adding(database.engine.dialect, now)


def _adding_in_turn(dialect: Dialect, now: ColumnElement[int]) -> Add:
    add_events = Prepared(insert(bus_event).inline().values(_bound("event", _EVENT)), dialect)
    add_owed = Prepared(insert(bus_outbox).inline().values(_bound_to_be_due("owed", now)), dialect)

    def add(connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        add_events.execute(connection, *(_named("event", _EVENT, _event_row(envelope)) for envelope in envelopes))
        if owed:
            add_owed.execute(connection, *(_named("owed", _OWED, _owed_row(owing)) for owing in owed))

    return add


def _adding_at_once(dialect: Dialect, now: ColumnElement[int]) -> Add:
    """Return what writes any number of rows with one data-modifying statement, so that a publish costs one round trip.

    One event has a statement without arrays, as nearly every transaction has one: that costs the driver and the server
    less than half.
    """
    for_one: dict[int, Prepared] = {}
    for_many = _statement_for_many(now)

    def add(connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        if len(envelopes) == 1:
            if len(owed) not in for_one:
                for_one[len(owed)] = Prepared(_statement_for_one(len(owed), now), dialect)
            values = _named("event", _EVENT, _event_row(envelopes[0]))
            for number, owing in enumerate(owed):
                values |= _named(f"owed_{number}", _OWED, _owed_row(owing))
            for_one[len(owed)].execute(connection, values)
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


def _named(prefix: str, columns: Sequence[Column[Any]], row: Sequence[object]) -> dict[str, object]:
    """Return a row as the parameters of `_bound`."""
    return {f"{prefix}_{column.name}": value for column, value in zip(columns, row, strict=True)}


def _statement_for_many(now: ColumnElement[int]) -> Executable:
    """Return the statement that writes any number of each; its text is always the same, as each column is an array."""
    events = _unnested("event", _EVENT)
    columns = [*_names(_EVENT), bus_event.c.transaction_id.name]
    added = insert(bus_event).from_select(columns, events.add_columns(_THIS_TRANSACTION)).cte("added")
    owed = _unnested("owed", _OWED).subquery()
    due = select(owed.c.target, owed.c.event_id, now + owed.c.due_at, owed.c.sends)
    return insert(bus_outbox).from_select(_names(_OWED), due).add_cte(added)


def _unnested(prefix: str, columns: Sequence[Any]) -> Select[Any]:
    """Return rows whose columns are parameters, one array each, in their order."""
    arrays = [bindparam(f"{prefix}_{column.name}", type_=ARRAY(_untrimmed(column.type))) for column in columns]
    rows = func.unnest(*arrays).table_valued(*_names(columns), with_ordinality="n", name=prefix).render_derived()
    return select(*(rows.c[column.name] for column in columns)).order_by(rows.c.n)


def _untrimmed(found: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type without its length: a cast to that would cut what is too long, where an insert refuses it."""
    return Text() if isinstance(found, String) else found


def _columns(prefix: str, columns: Sequence[Any], rows: Sequence[Sequence[object]]) -> dict[str, list[object]]:
    """Return the parameters of `_unnested`."""
    return {f"{prefix}_{column.name}": [row[i] for row in rows] for i, column in enumerate(columns)}


def _names(columns: Sequence[Any]) -> list[str]:
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
