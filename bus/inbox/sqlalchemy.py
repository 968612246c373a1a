"""The inbox store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ClauseElement,
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    TextClause,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    union_all,
    update,
)

from bus.clock import Clock
from bus.database import Database
from bus.dialects import Dialect, dialect_of
from bus.errors import LostPublicationError
from bus.failpoint import failpoint
from bus.inbox.rows import KEY, WHOLE, attempt_row, bare_row, key_of, publication_of, row_of, trouble_values
from bus.inbox.sqlalchemy_quarantine import kept
from bus.inbox.state import PARKED, UNENDED, Reason, State
from bus.inbox.store import NO_LISTENER, ListenerCounts, Outcome, Publication
from bus.inbox.views import Views
from bus.prepared import prepared
from bus.present import present
from bus.tables import bus_attempt, bus_inbox, bus_quarantine

#: Microseconds after its mark at which a start without an end counts as a crash, and the publication is due again.
LEASE = 10_000_000

#: Written out, not bound: only so are the partial indexes on these rows known to serve.
_RETRYING = text("bus_inbox.state = 'retrying'")
_IS_OPEN: ColumnElement[bool] = literal_column("bus_inbox.state = 'retrying'", Boolean)
_IS_DEAD: ColumnElement[bool] = literal_column(
    "(bus_inbox.state = 'dead' AND bus_inbox.reason != 'discarded')", Boolean
)

_MINE = (
    bus_inbox.c.listener == bindparam("of_listener"),
    bus_inbox.c.event_id == bindparam("of_event"),
)
_AS_MARKED = (*_MINE, bus_inbox.c.state == "retrying", bus_inbox.c.starts == bindparam("as_marked"))
_HAS_NOT_ENDED = bus_inbox.c.reason.in_(UNENDED)
_HAS_ENDED = bus_inbox.c.reason.not_in(UNENDED)
_RUN_ALONE = update(bus_inbox).where(*_AS_MARKED, bus_inbox.c.reason == "running").values(reason="running_alone")
_RESTART = update(bus_inbox).where(*_AS_MARKED).values(state="started")

#: What a run's row says until it is completed, or rolled back with the run: nobody else ever reads it.
_STARTED: dict[str, ColumnElement[Any]] = {
    "state": literal_column("'started'", Text),
    "starts": literal_column("1", Integer),
    "failures": literal_column("0", Integer),
    "crashes": literal_column("0", Integer),
}

#: Questions that are kept as they were built: they differ by the listeners that are asked for, which pauses change.
_QUESTIONS = 64

#: Rows that one look through the parked events takes.
_PARKED_AT_ONCE = 100


class SqlAlchemyInboxStore:
    """Keeps one module's publications in its database."""

    def __init__(self, database: Database, clock: Clock, views: Views) -> None:
        self._database = database
        self._dialect = dialect_of(database)
        self._views = views
        self._now = now = present(database, clock)
        dialect = database.engine.dialect
        self._take = prepared(_taking(self._dialect, WHOLE, now), dialect)
        # The two statements of every run have few parameters, as each costs the driver time: the rest is written out.
        self._take_bare = prepared(self._dialect.taking(bus_inbox, {**_bound(KEY), **_STARTED, "due_at": now}), dialect)
        self._restart = prepared(_RESTART, dialect)
        completing = (
            update(bus_inbox)
            .where(*_MINE, bus_inbox.c.state == _STARTED["state"])
            .values(state=literal_column("'completed'"), reason=null(), due_at=now, took=bindparam("run_time"))
            .values(envelope=null())
        )
        self._complete = prepared(self._dialect.hitting_one(completing), dialect)
        self._start_again = (
            update(bus_inbox)
            .where(*_MINE)
            .values(starts=bus_inbox.c.starts + 1, reason=Reason.RUNNING, due_at=now + LEASE)
        )
        self._give_up_unreadable = (
            update(bus_inbox).where(*_MINE).values(state=State.DEAD, reason=Reason.NO_ENVELOPE, due_at=now)
        )
        self._add_attempt = insert(bus_attempt).values(at=now)
        # To build them takes longer than to ask them.
        self._oldest = lru_cache(_QUESTIONS)(self._oldest_of)
        self._any_due = lru_cache(_QUESTIONS)(self._any_due_of)
        self._unended = lru_cache(_QUESTIONS)(self._unended_of)
        self._parked = lru_cache(_QUESTIONS)(self._parked_of)

    def mark(self, connection: Connection, publication: Publication) -> bool:
        """Commit the mark of a first start; False when the publication has a row already."""
        running = Outcome(State.RETRYING, Reason.RUNNING, LEASE, failures=0, crashes=0)
        return self._add(connection, publication, running, starts=1, commit=True)

    def start(self, connection: Connection, publication: Publication) -> bool:
        """Take the publication inside the run's transaction."""
        if publication.starts:
            self._dialect.begin(connection)
            return self._restart.execute(connection, key_of(publication, as_marked=publication.starts)).rowcount == 1
        return self._dialect.took(connection, self._take_bare, bare_row(publication))

    def complete(self, connection: Connection, publication: Publication, took: int) -> None:
        """Set the publication completed; must hit exactly one row."""
        row = key_of(publication, run_time=took)
        self._database.write_last(connection, self._complete, row, otherwise=lambda: _lost(publication))

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        """Record what became of it, with its trouble in the history, unless somebody else has changed the row."""
        with self._database.write() as connection:
            if publication.starts:
                # Not where it has ended meanwhile. A failure is no crash because somebody saw its lease run out,
                # neither before it is recorded nor after.
                seen = UNENDED if outcome.reason == Reason.CRASHED else (*UNENDED, Reason.CRASHED)
                is_recorded = self._change(connection, publication, outcome, bus_inbox.c.reason.in_(seen))
            else:
                is_recorded = self._add(connection, publication, outcome, starts=outcome.was_run)
            if is_recorded and outcome.is_attempt and outcome.trouble is not None:
                row = attempt_row(
                    publication.listener_id,
                    publication.envelope.id,
                    outcome.reason,
                    outcome.trouble,
                )
                connection.execute(self._add_attempt, row)
        return is_recorded

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        """Take the publication that is due longest."""
        if not listener_ids:
            return None
        failpoint("inbox.before_claim")
        with self._database.write() as connection:
            found = self._oldest_readable(connection, self._oldest(tuple(listener_ids)))
            if found is None:
                return None
            connection.execute(self._start_again, key_of(found))
        failpoint("inbox.after_claim")
        return replace(found, starts=found.starts + 1)

    def run_alone(self, publication: Publication) -> bool:
        """Mark a claimed run as one with nothing beside it."""
        with self._database.write() as connection:
            return connection.execute(_RUN_ALONE, key_of(publication, as_marked=publication.starts)).rowcount == 1

    def crashed(self, listener_ids: Collection[str], limit: int) -> list[Publication]:
        """Return publications whose run has not ended within its lease."""
        statement = self._unended(tuple(listener_ids), limit)
        if self._database.is_postgresql:
            # What still runs although its lease is over holds its row: whoever recorded a crash would wait for it.
            with self._database.write() as connection:
                rows = connection.execute(statement).all()
        else:
            with self._database.read() as session:
                rows = session.execute(statement).all()
        return [found for row in rows if (found := publication_of(row, is_suspect=row.reason == Reason.RUNNING_ALONE))]

    def claim_parked(self, versions: Mapping[str, int], due_in: int) -> Publication | None:
        """Take one parked event that this build can read, and put off those of a later version."""
        with self._database.write() as connection:
            for row in connection.execute(self._parked(tuple(versions))).all():
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
        with self._database.read() as session:
            return session.scalar(self._any_due(tuple(listener_ids), tuple(event_names))) is not None

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
            origin, problem = f"bus_inbox ({row.listener}, {row.event_id})", "what the inbox keeps of it is no envelope"
            adding = self._dialect.upsert(bus_quarantine)
            connection.execute(kept(adding, row.envelope or b"", origin=origin, problem=problem, now=self._now))
            connection.execute(self._give_up_unreadable, {"of_listener": row.listener, "of_event": row.event_id})
        return found

    def _add(
        self,
        connection: Connection,
        publication: Publication,
        outcome: Outcome,
        *,
        starts: int,
        commit: bool = False,
    ) -> bool:
        kept = replace(publication, envelope=self._views.kept(publication))
        return self._dialect.took(connection, self._take, row_of(kept, outcome, starts=starts), commit=commit)

    def _change(
        self, connection: Connection, publication: Publication, outcome: Outcome, *conditions: ColumnElement[bool]
    ) -> bool:
        statement = (
            update(bus_inbox)
            .where(*_AS_MARKED, *conditions)
            .values(
                state=outcome.state,
                reason=outcome.reason,
                failures=outcome.failures,
                crashes=outcome.crashes,
                due_at=self._now + outcome.due_in,
                **trouble_values(outcome.trouble),
            )
        )
        return connection.execute(statement, key_of(publication, as_marked=publication.starts)).rowcount == 1

    def _due(self, listener_ids: Collection[str], *conditions: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
        due: tuple[ColumnElement[bool] | TextClause, ...] = (_RETRYING, bus_inbox.c.due_at <= self._now)
        return select(bus_inbox).where(bus_inbox.c.listener.in_(listener_ids), *due, *conditions)

    def _oldest_of(self, listener_ids: tuple[str, ...]) -> Select[tuple[Any, ...]]:
        """Return the query for what is due longest: one step into the index for each listener, however much is due."""
        heads = [
            self._dialect.unheld(self._due([id], _HAS_ENDED).order_by(bus_inbox.c.due_at).limit(1)).subquery()
            for id in listener_ids
        ]
        candidates = union_all(*(select(head) for head in heads)).subquery()
        return select(candidates).order_by(candidates.c.due_at).limit(1)

    def _any_due_of(self, listener_ids: tuple[str, ...], event_names: tuple[str, ...]) -> CompoundSelect[Any]:
        """Return the query for something that is due, of these listeners or of these events where none heard them."""
        mine, parked = self._due(listener_ids), self._due([NO_LISTENER], bus_inbox.c.event_name.in_(event_names))
        return union_all(
            *(select(found.with_only_columns(bus_inbox.c.due_at).limit(1).subquery()) for found in (mine, parked))
        ).limit(1)

    def _unended_of(self, listener_ids: tuple[str, ...], limit: int) -> Select[tuple[Any, ...]]:
        """Return the query for what has not ended within its lease and is held by nobody."""
        return self._dialect.unheld(self._due(listener_ids, _HAS_NOT_ENDED).order_by(bus_inbox.c.due_at).limit(limit))

    def _parked_of(self, event_names: tuple[str, ...]) -> Select[tuple[Any, ...]]:
        """Return the query for parked events of these names, those that are due longest first."""
        known = bus_inbox.c.event_name.in_(event_names)
        return self._dialect.unheld(self._due([NO_LISTENER], known).order_by(bus_inbox.c.due_at).limit(_PARKED_AT_ONCE))


def _lost(publication: Publication) -> LostPublicationError:
    return LostPublicationError(
        f"listener {publication.listener_id!r} ran for event {publication.envelope.id}, but its row was gone at the "
        "end: the run is rolled back"
    )


def _taking(dialect: Dialect, columns: Collection[str], now: ColumnElement[int]) -> ClauseElement:
    """Return the statement that adds a row of these columns, unless there is one."""
    return dialect.taking(bus_inbox, {**_bound(columns), "due_at": now + bindparam("due_in", type_=BigInteger)})


def _bound(columns: Collection[str]) -> dict[str, ColumnElement[Any]]:
    return {name: bindparam(name, type_=bus_inbox.c[name].type) for name in columns}


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    condition = conditions[0]
    for other in conditions[1:]:
        condition = condition & other
    return func.count(case((condition, 1)))
