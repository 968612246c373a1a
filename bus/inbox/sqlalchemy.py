"""The inbox store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    TextClause,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.sqlite import insert

from bus.clock import Clock
from bus.database import Database
from bus.errors import LostPublicationError
from bus.failpoint import failpoint
from bus.inbox.rows import attempt_row, bare_row, key_of, publication_of, row_of, trouble_values
from bus.inbox.sqlalchemy_quarantine import kept
from bus.inbox.state import PARKED, UNENDED, Reason, State
from bus.inbox.store import NO_LISTENER, ListenerCounts, Outcome, Publication
from bus.tables import bus_attempt, bus_inbox

#: Microseconds after its mark at which a start without an end counts as a crash, and the publication is due again.
LEASE = 30_000_000

#: Written out, not bound: only so are the partial indexes on these rows known to serve.
_RETRYING = text("bus_inbox.state = 'retrying'")
_IS_OPEN: ColumnElement[bool] = literal_column("bus_inbox.state = 'retrying'", Boolean)
_IS_DEAD: ColumnElement[bool] = literal_column(
    "(bus_inbox.state = 'dead' AND bus_inbox.reason != 'discarded')", Boolean
)

_ADD = insert(bus_inbox).on_conflict_do_nothing()
_MINE = (
    bus_inbox.c.listener == bindparam("of_listener"),
    bus_inbox.c.event_id == bindparam("of_event"),
)
_AS_MARKED = (*_MINE, bus_inbox.c.state == "retrying", bus_inbox.c.starts == bindparam("as_marked"))
_RESTART = update(bus_inbox).where(*_AS_MARKED).values(state="started")
_COMPLETE = (
    update(bus_inbox)
    .where(*_MINE, bus_inbox.c.state == "started")
    .values(state="completed", reason=None, due_at=bindparam("at"), took=bindparam("run_time"), envelope=None)
)
_STARTED_AGAIN = (
    update(bus_inbox)
    .where(*_MINE)
    .values(starts=bus_inbox.c.starts + 1, reason=bindparam("because"), due_at=bindparam("due"))
)
_GIVE_UP_UNREADABLE = (
    update(bus_inbox).where(*_MINE).values(state=State.DEAD, reason=Reason.NO_ENVELOPE, due_at=bindparam("at"))
)
_ADD_ATTEMPT = plain_insert(bus_attempt)

#: Rows that one look through the parked events takes.
_PARKED_AT_ONCE = 100


class SqlAlchemyInboxStore:
    """Keeps one module's publications in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def mark(self, publication: Publication) -> bool:
        """Commit the mark of a first start; False when the publication has a row already."""
        running = Outcome(State.RETRYING, Reason.RUNNING, LEASE, failures=0, crashes=0)
        with self._database.write() as connection:
            return self._add(connection, publication, running, starts=1)

    def start(self, connection: Connection, publication: Publication) -> bool:
        """Take the publication inside the run's transaction."""
        if publication.starts:
            return connection.execute(_RESTART, key_of(publication, as_marked=publication.starts)).rowcount == 1
        return connection.execute(_ADD, bare_row(publication, self._clock.microseconds())).rowcount == 1

    def complete(self, connection: Connection, publication: Publication, took: int) -> None:
        """Set the publication completed; must hit exactly one row."""
        values = key_of(publication, at=self._clock.microseconds(), run_time=took)
        if connection.execute(_COMPLETE, values).rowcount != 1:
            raise LostPublicationError(
                f"listener {publication.listener_id!r} ran for event {publication.envelope.id}, but its row was gone "
                "at the end: the run is rolled back"
            )

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        """Record what became of it, with its trouble in the history, unless somebody else has changed the row."""
        with self._database.write() as connection:
            if publication.starts:
                is_recorded = self._change(connection, publication, outcome)
            else:
                is_recorded = self._add(connection, publication, outcome, starts=outcome.was_run)
            if is_recorded and outcome.is_attempt and outcome.trouble is not None:
                row = attempt_row(
                    publication.listener_id,
                    publication.envelope.id,
                    self._clock.microseconds(),
                    outcome.reason,
                    outcome.trouble,
                )
                connection.execute(_ADD_ATTEMPT, row)
        return is_recorded

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        """Take the publication that is due longest."""
        if not listener_ids:
            return None
        now = self._clock.microseconds()
        failpoint("inbox.before_claim")
        with self._database.write() as connection:
            found = self._oldest_readable(connection, _oldest(listener_ids, now, *_ended()))
            if found is None:
                return None
            because = Reason.RUNNING_ALONE if found.is_suspect else Reason.RUNNING
            connection.execute(_STARTED_AGAIN, key_of(found, because=because, due=now + LEASE))
        failpoint("inbox.after_claim")
        return replace(found, starts=found.starts + 1)

    def crashed(self, listener_ids: Collection[str], limit: int) -> list[Publication]:
        """Return publications whose run has not ended within its lease."""
        unended = bus_inbox.c.reason.in_(UNENDED)
        statement = _due(listener_ids, self._clock.microseconds(), unended).order_by(bus_inbox.c.due_at).limit(limit)
        with self._database.read() as session:
            rows = session.execute(statement).all()
        return [found for row in rows if (found := publication_of(row, is_suspect=row.reason == Reason.RUNNING_ALONE))]

    def claim_parked(self, versions: Mapping[str, int], due_in: int) -> Publication | None:
        """Take one parked event that this build can read, and put off those of a later version."""
        now = self._clock.microseconds()
        known = bus_inbox.c.event_name.in_(list(versions))
        statement = _due([NO_LISTENER], now, known).order_by(bus_inbox.c.due_at).limit(_PARKED_AT_ONCE)
        with self._database.write() as connection:
            for row in connection.execute(statement).all():
                found = self._read(connection, row)
                if found is None:
                    continue
                if found.envelope.version <= versions[found.envelope.type]:
                    return found
                too_new = Outcome(State.RETRYING, Reason.NEWER_VERSION, due_in, failures=0, crashes=0)
                self._change(connection, found, too_new)
        return None

    def unpark(self, publication: Publication, listener_ids: Iterable[str]) -> None:
        """Give each listener a row that is due now, and delete the parked one, in one transaction."""
        due = Outcome(State.RETRYING, Reason.REDELIVERED, 0, failures=0, crashes=0)
        with self._database.write() as connection:
            for listener_id in listener_ids:
                self._add(connection, replace(publication, listener_id=listener_id), due, starts=0)
            connection.execute(delete(bus_inbox).where(*_MINE), key_of(publication))

    def has_due(self, listener_ids: Collection[str], event_names: Collection[str]) -> bool:
        """Say whether something is due."""
        now = self._clock.microseconds()
        parked = _due([NO_LISTENER], now, bus_inbox.c.event_name.in_(event_names)).limit(1)
        with self._database.read() as session:
            is_due = session.execute(_due(listener_ids, now).limit(1)).first() is not None
            return is_due or session.execute(parked).first() is not None

    def retrying(self) -> int:
        """Return how many publications are to run again."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(bus_inbox).where(_RETRYING)) or 0

    def counts(self) -> list[ListenerCounts]:
        """Return the counts by listener, sorted."""
        has_failed = (bus_inbox.c.failures > 0) | (bus_inbox.c.crashes > 0) | (bus_inbox.c.reason == Reason.CRASHED)
        is_parked = bus_inbox.c.reason.in_(PARKED)
        statement = (
            select(
                bus_inbox.c.listener,
                _number(bus_inbox.c.state == "completed"),
                _number(_IS_OPEN),
                _number(_IS_OPEN, has_failed, ~is_parked),
                _number(_IS_OPEN, is_parked),
                _number(_IS_DEAD),
                func.min(case((_IS_OPEN, bus_inbox.c.event_time))),
                func.max(case((_IS_OPEN | _IS_DEAD, bus_inbox.c.error))),
            )
            .group_by(bus_inbox.c.listener)
            .order_by(bus_inbox.c.listener)
        )
        with self._database.read() as session:
            return [ListenerCounts(*row) for row in session.execute(statement)]

    def _oldest_readable(self, connection: Connection, query: Select[tuple[Any, ...]]) -> Publication | None:
        while (row := connection.execute(query).first()) is not None:
            if (found := self._read(connection, row)) is not None:
                return found
        return None

    def _read(self, connection: Connection, row: Row[Any]) -> Publication | None:
        """Return the publication of a row; where that holds no envelope it is put out of the way, and None returned."""
        # One that has crashed alone stays suspect, also where it failed or waited since.
        is_suspect = row.reason == Reason.CRASHED or row.crashes > 0
        found = publication_of(row, is_suspect=is_suspect)
        if found is None:
            now, data = self._clock.microseconds(), row.envelope or b""
            origin = f"bus_inbox ({row.listener}, {row.event_id})"
            connection.execute(kept(data, origin=origin, problem="what the inbox keeps of it is no envelope", now=now))
            mine = {"of_listener": row.listener, "of_event": row.event_id, "at": now}
            connection.execute(_GIVE_UP_UNREADABLE, mine)
        return found

    def _add(self, connection: Connection, publication: Publication, outcome: Outcome, *, starts: int) -> bool:
        row = row_of(publication, outcome, self._clock.microseconds(), starts=starts)
        return connection.execute(_ADD, row).rowcount == 1

    def _change(self, connection: Connection, publication: Publication, outcome: Outcome) -> bool:
        statement = (
            update(bus_inbox)
            .where(*_AS_MARKED)
            .values(
                state=outcome.state,
                reason=outcome.reason,
                failures=outcome.failures,
                crashes=outcome.crashes,
                due_at=self._clock.microseconds() + outcome.due_in,
                **trouble_values(outcome.trouble),
            )
        )
        return connection.execute(statement, key_of(publication, as_marked=publication.starts)).rowcount == 1


def _due(listener_ids: Collection[str], now: int, *conditions: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    due: tuple[ColumnElement[bool] | TextClause, ...] = (_RETRYING, bus_inbox.c.due_at <= now)
    return select(bus_inbox).where(bus_inbox.c.listener.in_(listener_ids), *due, *conditions)


def _oldest(listener_ids: Collection[str], now: int, *conditions: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """Return the query for what is due longest: one step into the index for each listener, however much is due."""
    heads = [
        _due([listener_id], now, *conditions).order_by(bus_inbox.c.due_at).limit(1).subquery()
        for listener_id in listener_ids
    ]
    candidates = union_all(*(select(head) for head in heads)).subquery()
    return select(candidates).order_by(candidates.c.due_at).limit(1)


def _ended() -> tuple[ColumnElement[bool]]:
    return (bus_inbox.c.reason.not_in(UNENDED),)


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    condition = conditions[0]
    for other in conditions[1:]:
        condition = condition & other
    return func.count(case((condition, 1)))
