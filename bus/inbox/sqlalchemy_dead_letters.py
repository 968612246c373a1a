"""Asking for publications, and mending them, on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from bus.clock import Clock
from bus.database import Database
from bus.dialects import dialect_of
from bus.envelope import Envelope
from bus.inbox.dead_letters import Attempt, DeadLetterGroup, PublicationQuery, PublicationRecord
from bus.inbox.rows import RECORD_COLUMNS, read_envelope, record_of
from bus.inbox.state import UNENDED, Reason, State
from bus.present import present
from bus.tables import bus_attempt, bus_inbox

_KEY = (bus_inbox.c.listener, bus_inbox.c.event_id)
_HISTORY = tuple(bus_attempt.c[name] for name in ("at", "outcome", "error_type", "error", "place", "traceback"))

#: Publications that one statement changes, well below what a database takes as parameters.
_AT_ONCE = 400

_FORGET_HISTORY = delete(bus_attempt).where(
    bus_attempt.c.event_id == bindparam("of_event"), bus_attempt.c.listener == bindparam("of_listener")
)
_FORGET = delete(bus_inbox).where(
    bus_inbox.c.listener == bindparam("of_listener"), bus_inbox.c.event_id == bindparam("of_event")
)

#: Written out, not bound: only so are the partial indexes on these rows known to serve.
_OF_STATE: dict[State, ColumnElement[bool]] = {
    state: bus_inbox.c.state == literal(str(state), literal_execute=True) for state in State
}


class SqlAlchemyDeadLetterStore:
    """Asks for, and changes, the publications in one module's database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._dialect = dialect_of(database)
        self._now = present(database, clock)

    def find(self, query: PublicationQuery, *, limit: int) -> list[PublicationRecord]:
        """Return those that match, the newest first."""
        statement = select(*RECORD_COLUMNS).where(*_matching(query)).order_by(bus_inbox.c.due_at.desc()).limit(limit)
        return self._records(statement)

    def of_event(self, event_id: str) -> list[PublicationRecord]:
        """Return every publication of an event, sorted by listener."""
        # One step into the primary key for each listener, instead of a walk through all publications.
        listeners = select(bus_inbox.c.listener).distinct().scalar_subquery()
        mine = (bus_inbox.c.listener.in_(listeners), bus_inbox.c.event_id == event_id)
        return self._records(select(*RECORD_COLUMNS).where(*mine).order_by(bus_inbox.c.listener))

    def count(self, query: PublicationQuery) -> int:
        """Return how many match."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(bus_inbox).where(*_matching(query))) or 0

    def groups(self, query: PublicationQuery) -> list[DeadLetterGroup]:
        """Return them by listener, reason, error and place."""
        same = (bus_inbox.c.listener, bus_inbox.c.reason, bus_inbox.c.error_type, bus_inbox.c.place)
        ended = bus_inbox.c.due_at
        statement = (
            select(*same, func.count(), func.min(ended), func.max(ended), func.min(bus_inbox.c.error))
            .where(*_matching(query))
            .group_by(*same)
            .order_by(func.count().desc(), *same)
        )
        with self._database.read() as session:
            return [self._group(row) for row in session.execute(statement)]

    def attempts(self, listener_id: str, event_id: str) -> list[Attempt]:
        """Return the history of one publication."""
        mine = (bus_attempt.c.event_id == event_id, bus_attempt.c.listener == listener_id)
        with self._database.read() as session:
            rows = session.execute(select(*_HISTORY).where(*mine).order_by(bus_attempt.c.position))
            return [Attempt(*row) for row in rows]

    def envelope(self, listener_id: str, event_id: str) -> Envelope | None:
        """Return the event of a publication that still holds it."""
        mine = (bus_inbox.c.listener == listener_id, bus_inbox.c.event_id == event_id)
        with self._database.read() as session:
            data = session.scalar(select(bus_inbox.c.envelope).where(*mine))
        return None if data is None else read_envelope(data)

    def redeliver(self, query: PublicationQuery, *, who: str) -> int:
        """Make the dead ones that match due now."""
        fresh: dict[str, object] = {"state": State.RETRYING, "reason": Reason.REDELIVERED, "failures": 0, "crashes": 0}
        dead = [*_matching(query), _OF_STATE[State.DEAD], bus_inbox.c.envelope.is_not(None)]
        return self._change(dead, fresh, Reason.REDELIVERED, f"by {who}")

    def discard(self, query: PublicationQuery, *, who: str, why: str) -> int:
        """Give those that match up for good."""
        gone: dict[str, object] = {"state": State.DEAD, "reason": Reason.DISCARDED}
        # What still runs although its lease is over is safe: it holds its row, and has changed it when this one can.
        is_over = bus_inbox.c.due_at <= self._now
        idle = or_(bus_inbox.c.reason.is_(None), bus_inbox.c.reason.not_in(UNENDED), is_over)
        unfinished = [*_matching(query), ~_OF_STATE[State.COMPLETED], idle]
        return self._change(unfinished, gone, Reason.DISCARDED, f"by {who}: {why}")

    def forget(self, before: int, limit: int) -> int:
        """Delete some of those that ended before, with their history."""
        with self._database.write() as connection:
            keys: list[dict[str, str]] = []
            for condition in _forgettable(before):
                rows = connection.execute(self._dialect.unheld(select(*_KEY).where(condition).limit(limit - len(keys))))
                keys += [{"of_listener": listener_id, "of_event": event_id} for listener_id, event_id in rows]
            if keys:
                connection.execute(_FORGET_HISTORY, keys)
                connection.execute(_FORGET, keys)
        return len(keys)

    def forgettable(self, before: int) -> int:
        """Return how many there are to forget."""
        counting = select(func.count()).select_from(bus_inbox)
        with self._database.read() as session:
            return sum(session.scalar(counting.where(condition)) or 0 for condition in _forgettable(before))

    def _records(self, statement: Select[tuple[object, ...]]) -> list[PublicationRecord]:
        with self._database.read() as session:
            return [record_of(self._database.name, row) for row in session.execute(statement)]

    def _group(self, row: Row[Any]) -> DeadLetterGroup:
        listener_id, reason, *rest = tuple(row)
        return DeadLetterGroup(self._database.name, listener_id, Reason(reason), *rest)

    def _change(self, which: list[ColumnElement[bool]], values: dict[str, object], outcome: str, note: str) -> int:
        """Change the publications, and tell it in the history of each, in one transaction.

        What somebody holds is being run, and is left out: it would be waited for.
        """
        told = (self._now, literal(outcome), literal(note))
        entry = ("listener", "event_id", "at", "outcome", "error")
        with self._database.write() as connection:
            rows = connection.execute(self._dialect.unheld(select(*_KEY).where(*which))).all()
            for start in range(0, len(rows), _AT_ONCE):
                mine = tuple_(*_KEY).in_([tuple(row) for row in rows[start : start + _AT_ONCE]])
                connection.execute(insert(bus_attempt).from_select(entry, select(*_KEY, *told).where(mine)))
                connection.execute(update(bus_inbox).where(mine).values(**values, due_at=self._now))
        return len(rows)


def _matching(query: PublicationQuery) -> list[ColumnElement[bool]]:
    return [_OF_STATE[query.state], *_conditions(query)]


def _conditions(query: PublicationQuery) -> Iterator[ColumnElement[bool]]:
    exact = {
        "listener": query.listener,
        "event_name": query.event_name,
        "event_key": query.key,
        "error_type": query.error_type,
        "place": query.place,
        "reason": query.reason,
    }
    yield from (bus_inbox.c[column] == value for column, value in exact.items() if value is not None)
    if query.reason is None and query.state is State.DEAD:
        yield bus_inbox.c.reason != Reason.DISCARDED
    if query.event_id is not None:
        yield bus_inbox.c.event_id.startswith(query.event_id, autoescape=True)
    if query.since is not None:
        yield bus_inbox.c.due_at >= query.since
    if query.until is not None:
        yield bus_inbox.c.due_at < query.until


def _forgettable(before: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return two conditions, each served by an index of its own, which one with an `OR` would not be."""
    has_ended = bus_inbox.c.due_at < before
    is_discarded = _OF_STATE[State.DEAD] & (bus_inbox.c.reason == Reason.DISCARDED)
    return _OF_STATE[State.COMPLETED] & has_ended, is_discarded & has_ended
