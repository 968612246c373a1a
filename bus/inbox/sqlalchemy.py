"""The inbox store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import ColumnElement, Connection, TextClause, bindparam, case, func, select, text, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from bus.clock import Clock
from bus.database import Database
from bus.envelope import Envelope
from bus.errors import LostPublicationError
from bus.inbox.store import ListenerCounts, Publication
from bus.tables import bus_inbox

#: Microseconds after its mark at which a start without an end counts as a crash, and the publication is due again.
LEASE = 30_000_000

#: Written out, not bound: only so is the partial index on these rows known to serve.
_RETRYING = text("bus_inbox.state = 'retrying'")

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
    .values(state="completed", reason=None, due_at=bindparam("at"), envelope=None)
)
_FAIL = (
    update(bus_inbox)
    .where(*_AS_MARKED)
    .values(
        reason="failed",
        failures=bus_inbox.c.failures + 1,
        due_at=bindparam("due"),
        error=bindparam("because"),
    )
)

_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(Envelope).decode


class SqlAlchemyInboxStore:
    """Keeps one module's publications in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def mark(self, publication: Publication) -> bool:
        """Commit the mark of a first start; False when the publication has a row already."""
        row = self._row(publication, state="retrying", reason="running", starts=1, due_in=LEASE)
        with self._database.write() as connection:
            return connection.execute(_ADD, row).rowcount == 1

    def start(self, connection: Connection, publication: Publication) -> bool:
        """Take the publication inside the run's transaction."""
        if publication.starts:
            return connection.execute(_RESTART, _key(publication, as_marked=publication.starts)).rowcount == 1
        row = self._row(publication, state="started", starts=1)
        # The row is completed or rolled back in this very transaction: its envelope would never be read.
        return connection.execute(_ADD, {**row, "envelope": None}).rowcount == 1

    def complete(self, connection: Connection, publication: Publication) -> None:
        """Set the publication completed; must hit exactly one row."""
        hit = connection.execute(_COMPLETE, _key(publication, at=self._clock.microseconds())).rowcount
        if hit != 1:
            raise LostPublicationError(
                f"listener {publication.listener_id!r} ran for event {publication.envelope.id}, but its row was gone "
                "at the end: the run is rolled back"
            )

    def fail(self, publication: Publication, error: str, delay: int) -> bool:
        """Record a failure, unless somebody else has changed the row."""
        due = self._clock.microseconds() + delay
        with self._database.write() as connection:
            if publication.starts:
                values = _key(publication, as_marked=publication.starts, due=due, because=error)
                return connection.execute(_FAIL, values).rowcount == 1
            row = self._row(publication, state="retrying", reason="failed", starts=1, due_in=delay)
            return connection.execute(_ADD, {**row, "failures": 1, "error": error}).rowcount == 1

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        """Take the publication that is due longest."""
        now = self._clock.microseconds()
        key = (bus_inbox.c.listener, bus_inbox.c.event_id)
        oldest = select(*key).where(*_due(listener_ids, now)).order_by(bus_inbox.c.due_at).limit(1)
        statement = (
            update(bus_inbox)
            .where(tuple_(*key).in_(oldest))
            .values(starts=bus_inbox.c.starts + 1, reason="running", due_at=now + LEASE)
            .returning(bus_inbox.c.listener, bus_inbox.c.envelope, bus_inbox.c.starts, bus_inbox.c.failures)
        )
        with self._database.write() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else Publication(row[0], _read(row[1]), row[2], row[3])

    def has_due(self, listener_ids: Collection[str]) -> bool:
        """Say whether a publication is due."""
        due = _due(listener_ids, self._clock.microseconds())
        with self._database.read() as session:
            return session.execute(select(1).where(*due).limit(1)).first() is not None

    def retrying(self) -> int:
        """Return how many publications are to run again."""
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(bus_inbox).where(_RETRYING)) or 0

    def counts(self) -> list[ListenerCounts]:
        """Return the counts by listener, sorted."""
        statement = (
            select(
                bus_inbox.c.listener,
                func.count(case((bus_inbox.c.state == "completed", 1))),
                func.count(case((_RETRYING, 1))),
                func.max(case((_RETRYING, bus_inbox.c.error))),
            )
            .group_by(bus_inbox.c.listener)
            .order_by(bus_inbox.c.listener)
        )
        with self._database.read() as session:
            return [ListenerCounts(*row) for row in session.execute(statement)]

    def _row(
        self,
        publication: Publication,
        *,
        state: str,
        starts: int,
        reason: str | None = None,
        due_in: int = 0,
    ) -> dict[str, object]:
        return {
            "listener": publication.listener_id,
            "event_id": publication.envelope.id,
            "state": state,
            "reason": reason,
            "starts": starts,
            "failures": 0,
            "due_at": self._clock.microseconds() + due_in,
            "error": None,
            "envelope": _write(publication.envelope),
        }


def _due(listener_ids: Collection[str], now: int) -> tuple[ColumnElement[bool] | TextClause, ...]:
    # The expression keeps the planner from walking through the listener's completed rows by the primary key.
    listener = func.coalesce(bus_inbox.c.listener, "")
    return _RETRYING, bus_inbox.c.due_at <= now, listener.in_(listener_ids)


def _key(publication: Publication, **values: object) -> dict[str, object]:
    return {"of_listener": publication.listener_id, "of_event": publication.envelope.id, **values}
