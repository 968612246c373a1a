"""The outbox store on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from bus.clock import Clock
from bus.database import Database
from bus.envelope import Envelope
from bus.failpoint import failpoint
from bus.history.rows import envelope_of
from bus.outbox.store import Claimed, Owing
from bus.status import Owed
from bus.tables import bus_event, bus_outbox

#: Microseconds from a send to the second one, doubled by each further send, and the longest such interval.
FIRST_INTERVAL = 10_000_000
LONGEST_INTERVAL = 3_600_000_000

#: Sends after which the doubled interval would exceed the longest.
_DOUBLINGS = (LONGEST_INTERVAL // FIRST_INTERVAL).bit_length()

_ADD_EVENTS = insert(bus_event).inline()
_ADD_OWED = insert(bus_outbox).inline()
_IS_DUE = (
    select(1).where(bus_outbox.c.target == bindparam("of_target"), bus_outbox.c.due_at <= bindparam("now")).limit(1)
)
_ACKNOWLEDGE = delete(bus_outbox).where(
    bus_outbox.c.target == bindparam("of_target"), bus_outbox.c.event_id == bindparam("of_event")
)


class SqlAlchemyOutboxStore:
    """Keeps one module's history and outbox in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        """Write events and what is owed in two statements; commits nothing itself."""
        failpoint("outbox.before_write")
        connection.execute(_ADD_EVENTS, [_event_row(envelope) for envelope in envelopes])
        if owed:
            connection.execute(_ADD_OWED, [_owing_row(owing) for owing in owed])
        failpoint("outbox.after_write")

    def has(self, event_id: str) -> bool:
        """Say whether the history has an event."""
        with self._database.read() as session:
            return session.scalar(select(bus_event.c.id).where(bus_event.c.id == event_id)) is not None

    def due_targets(self, among: Iterable[str]) -> list[str]:
        """Return those of the modules to which something is due now."""
        now = self._clock.microseconds()
        with self._database.read() as session:
            return [target for target in among if session.scalar(_IS_DUE, {"of_target": target, "now": now})]

    def claim(self, target: str, limit: int) -> list[Claimed]:
        """Take due envelopes for a module, oldest first, and commit that they are taken."""
        now = self._clock.microseconds()
        mine = bus_outbox.c.target == target
        oldest = (
            select(bus_outbox.c.event_id)
            .where(mine, bus_outbox.c.due_at <= now)
            .order_by(bus_outbox.c.due_at, bus_outbox.c.event_id)
            .limit(limit)
        )
        statement = (
            update(bus_outbox)
            .where(mine, bus_outbox.c.event_id.in_(oldest))
            .values(due_at=now + _interval(), sends=bus_outbox.c.sends + 1)
            .returning(bus_outbox.c.event_id, bus_outbox.c.sends)
        )
        failpoint("relay.before_claim")
        with self._database.write() as connection:
            sends: dict[str, int] = {event_id: count for event_id, count in connection.execute(statement)}
            rows = connection.execute(
                select(bus_event).where(bus_event.c.id.in_(sends)).order_by(bus_event.c.position)
            ).all()
        failpoint("relay.after_claim")
        return [Claimed(envelope_of(row, self._database.name), sends[row.id]) for row in rows]

    def postpone(self, target: str, event_ids: Collection[str]) -> None:
        """Give those that are due one more first interval; their sends count on."""
        if not event_ids:
            return
        now = self._clock.microseconds()
        due = (bus_outbox.c.target == target, bus_outbox.c.due_at <= now, bus_outbox.c.event_id.in_(event_ids))
        with self._database.write() as connection:
            connection.execute(update(bus_outbox).where(*due).values(due_at=now + FIRST_INTERVAL))

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        """Delete what was received, in one transaction."""
        pairs = [{"of_target": target, "of_event": event_id} for target, event_id in received]
        if pairs:
            with self._database.write() as connection:
                connection.execute(_ACKNOWLEDGE, pairs)

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Make sends that did not happen due at once, and count them no longer."""
        statement = (
            update(bus_outbox)
            .where(bus_outbox.c.target == target, bus_outbox.c.event_id.in_(list(event_ids)))
            .values(due_at=self._clock.microseconds(), sends=bus_outbox.c.sends - 1)
        )
        with self._database.write() as connection:
            connection.execute(statement)

    def owed(self) -> list[Owed]:
        """Return what is owed by target, sorted."""
        now = self._clock.microseconds()
        statement = (
            select(bus_outbox.c.target, func.count(), func.min(bus_event.c.time))
            .join(bus_event, bus_event.c.id == bus_outbox.c.event_id)
            .group_by(bus_outbox.c.target)
            .order_by(bus_outbox.c.target)
        )
        with self._database.read() as session:
            return [Owed(target, count, (now - oldest) / 1e6) for target, count, oldest in session.execute(statement)]


def _interval() -> ColumnElement[int]:
    """Return the interval until the next send, doubled by each send that went before."""
    doubled = literal(FIRST_INTERVAL).bitwise_lshift(bus_outbox.c.sends)
    return case((bus_outbox.c.sends >= _DOUBLINGS, LONGEST_INTERVAL), else_=doubled)


def _event_row(envelope: Envelope) -> dict[str, object]:
    return {
        "id": envelope.id,
        "name": envelope.type,
        "version": envelope.version,
        "key": envelope.subject,
        "time": envelope.time,
        "correlation_id": envelope.correlationid,
        "causation_id": envelope.causationid,
        "traceparent": envelope.traceparent,
        "ancestry": " ".join(envelope.ancestry) or None,
        "payload": envelope.data,
    }


def _owing_row(owing: Owing) -> dict[str, object]:
    return {
        "target": owing.target,
        "event_id": owing.event_id,
        "due_at": owing.due_at,
        "sends": owing.sends,
    }
