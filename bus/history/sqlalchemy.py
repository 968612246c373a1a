"""The history store on SQLAlchemy Core."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from bus.clock import Clock
from bus.database import Database
from bus.history.rows import envelope_of
from bus.history.store import BEGINNING, HeldBack, Place, RecordedEvent
from bus.present import present
from bus.tables import bus_event, bus_outbox

#: Sorts behind every character that an id has: a range up to it is served by an index, a pattern is not.
_LAST = "\uffff"

#: Ids in one statement, well below what a database takes as parameters.
_AT_ONCE = 500

_NEXT_TARGET = select(func.min(bus_outbox.c.target)).where(bus_outbox.c.target > bindparam("after"))

#: The order in which readers go through the history.
_PLACE = (bus_event.c.transaction_id, bus_event.c.position)

#: Every transaction that wrote with a lower number has ended: what it committed can be seen, and no more will come.
_OLDEST_WRITER: ColumnElement[int] = literal_column(
    "(SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint))", BigInteger
)
_BELOW_EVERY_WRITER = bus_event.c.transaction_id < _OLDEST_WRITER


class SqlAlchemyHistoryStore:
    """Reads what one module has published from its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._settled = (_BELOW_EVERY_WRITER,) if database.is_postgresql else ()
        # On SQLite the transaction is always 0, and the position alone has an index.
        self._order = _PLACE if database.is_postgresql else _PLACE[1:]

    def last(self, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return the last events, oldest first."""
        return self._read(_named(name).order_by(bus_event.c.position.desc()).limit(limit))

    def following(self, place: Place, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return the first events after a place."""
        later = _named(name).where(self._follows(place), *self._settled)
        return self._read(later.order_by(*self._order).limit(limit), by_place=True)

    def end(self) -> Place:
        """Return the place of the last event that is told."""
        newest_first = [column.desc() for column in self._order]
        last = select(*_PLACE).where(*self._settled).order_by(*newest_first).limit(1)
        with self._database.read() as session:
            row = session.execute(last).first()
        return BEGINNING if row is None else Place(*row)

    def held_back(self) -> HeldBack | None:
        """Return the oldest writer, where an event is committed and not told."""
        if not self._settled:
            return None
        age = present(self._database, self._clock) - func.min(bus_event.c.time)
        with self._database.read() as session:
            writer, microseconds = session.execute(select(_OLDEST_WRITER, age).where(not_(*self._settled))).one()
        return None if microseconds is None else HeldBack(writer, max(0, microseconds))

    def of_story(self, correlation_id: str) -> list[RecordedEvent]:
        """Return every event with this correlation id."""
        return self._read(select(bus_event).where(bus_event.c.correlation_id == correlation_id))

    def beginning_with(self, id_prefix: str, limit: int) -> list[RecordedEvent]:
        """Return the first event of each story that is meant."""
        is_meant = or_(_begins(bus_event.c.id, id_prefix), _begins(bus_event.c.correlation_id, id_prefix))
        first = select(func.min(bus_event.c.position)).where(is_meant).group_by(bus_event.c.correlation_id).limit(limit)
        return self._read(select(bus_event).where(bus_event.c.position.in_(first)))

    def _follows(self, place: Place) -> ColumnElement[bool]:
        return tuple_(*self._order) > tuple_(*place[-len(self._order) :])

    def _read(self, statement: Select[Any], *, by_place: bool = False) -> list[RecordedEvent]:
        with self._database.read() as session:
            rows = sorted(session.execute(statement), key=_place_of if by_place else lambda row: row.position)
            owed = _owed(session, [row.id for row in rows])
        return [RecordedEvent(_place_of(row), envelope_of(row, self._database.name), owed[row.id]) for row in rows]


def _place_of(row: Row[Any]) -> Place:
    return Place(row.transaction_id, row.position)


def _named(name: str | None) -> Select[Any]:
    return select(bus_event) if name is None else select(bus_event).where(bus_event.c.name == name)


def _begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    return and_(column >= prefix, column < prefix + _LAST)


def _owed(session: Session, event_ids: Sequence[str]) -> defaultdict[str, tuple[str, ...]]:
    """Return the modules that have not acknowledged, by event."""
    owed: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    targets = _targets(session)
    for start in range(0, len(event_ids), _AT_ONCE):
        mine = bus_outbox.c.target.in_(targets), bus_outbox.c.event_id.in_(event_ids[start : start + _AT_ONCE])
        rows = select(bus_outbox.c.event_id, bus_outbox.c.target).where(*mine).order_by(bus_outbox.c.target)
        for event_id, target in session.execute(rows):
            owed[event_id] += (target,)
    return owed


def _targets(session: Session) -> list[str]:
    """Return the modules that anything is owed to, one step in the index each, however long the outbox is."""
    found: list[str] = []
    after = ""
    while (target := session.scalar(_NEXT_TARGET, {"after": after})) is not None:
        found.append(target)
        after = target
    return found
