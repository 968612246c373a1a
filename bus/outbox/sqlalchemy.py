"""The outbox store on SQLAlchemy Core."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningUpdate

from bus.clock import Clock
from bus.database import Database
from bus.dialects import dialect_of
from bus.envelope import Envelope
from bus.failpoint import failpoint
from bus.history.rows import envelope_of
from bus.outbox.adding import adding_in
from bus.outbox.store import Claimed, Owing
from bus.present import present
from bus.status import Owed
from bus.tables import bus_event, bus_outbox

#: Microseconds from a send to the second one, doubled by each further send, and the longest such interval.
FIRST_INTERVAL = 10_000_000
LONGEST_INTERVAL = 3_600_000_000

#: Sends after which the doubled interval would exceed the longest.
_DOUBLINGS = (LONGEST_INTERVAL // FIRST_INTERVAL).bit_length()

#: Milliseconds for which a transaction is waited for that has lost its client in the middle of its COMMIT.
_PATIENCE = 5000

_WRITE_AGAIN = (
    postgresql.insert(bus_event)
    .values(id=bindparam("id"), name="", version=0, time=0, correlation_id="", payload=b"")
    .on_conflict_do_nothing()
    .returning(bus_event.c.id)
)


class SqlAlchemyOutboxStore:
    """Keeps one module's history and outbox in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._dialect = dialect_of(database)
        self._now = present(database, clock)
        self._add = adding_in(database, self._now)
        # To build it takes longer than to execute it, and an application has few modules.
        self._claiming = cache(self._claiming_of)
        self._is_due = (
            select(1).where(bus_outbox.c.target == bindparam("of_target"), bus_outbox.c.due_at <= self._now).limit(1)
        )

    def add(self, connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        """Write events and what is owed, in one or two statements; commits nothing itself."""
        failpoint("outbox.before_write")
        self._add(connection, envelopes, owed)
        failpoint("outbox.after_write")

    def has(self, event_id: str) -> bool:
        """Say whether the history has an event, after the transaction that may have written it has ended."""
        if self._database.is_postgresql:
            return self._has_after_all(event_id)
        with self._database.read() as session:
            return session.scalar(select(bus_event.c.id).where(bus_event.c.id == event_id)) is not None

    def due_targets(self, among: Iterable[str]) -> list[str]:
        """Return those of the modules to which something is due now."""
        with self._database.read() as session:
            return [target for target in among if session.scalar(self._is_due, {"of_target": target})]

    def claim(self, target: str, limit: int) -> list[Claimed]:
        """Take due envelopes for a module, oldest first, and commit that they are taken."""
        return self._take(self._claiming(target), limit)

    def claim_again(self, target: str, event_ids: Collection[str], limit: int) -> list[Claimed]:
        """Take those of these envelopes that are due again, and commit that they are taken."""
        return self._take(self._taking(*self._mine(target, event_ids)), limit)

    def _take(self, taking: ReturningUpdate[Any], limit: int) -> list[Claimed]:
        failpoint("relay.before_claim")
        with self._database.write() as connection:
            taken = connection.execute(taking, {"at_most": limit})
            sends: dict[str, int] = {event_id: count for event_id, count in taken}
            rows = connection.execute(
                select(bus_event).where(self._dialect.among(bus_event.c.id, sends)).order_by(bus_event.c.position)
            ).all()
        failpoint("relay.after_claim")
        return [Claimed(envelope_of(row, self._database.name), sends[row.id]) for row in rows]

    def _claiming_of(self, target: str) -> ReturningUpdate[Any]:
        return self._taking(bus_outbox.c.target == target)

    def _taking(self, mine: ColumnElement[bool], *conditions: ColumnElement[bool]) -> ReturningUpdate[Any]:
        """Return the statement that takes what is due of these rows, the oldest first, and `at_most` so many."""
        oldest = (
            select(bus_outbox.c.event_id)
            .where(mine, *conditions, bus_outbox.c.due_at <= self._now)
            .order_by(bus_outbox.c.due_at, bus_outbox.c.event_id)
            .limit(bindparam("at_most", type_=Integer))
        )
        return (
            update(bus_outbox)
            .where(mine, self._dialect.taken_from(bus_outbox.c.event_id, oldest))
            .values(due_at=self._now + _interval(), sends=bus_outbox.c.sends + 1)
            .returning(bus_outbox.c.event_id, bus_outbox.c.sends)
        )

    def postpone(self, target: str, event_ids: Collection[str]) -> None:
        """Give those that are due one more first interval; their sends count on."""
        if not event_ids:
            return
        due = (*self._mine(target, event_ids), bus_outbox.c.due_at <= self._now)
        with self._database.write() as connection:
            connection.execute(update(bus_outbox).where(*due).values(due_at=self._now + FIRST_INTERVAL))

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        """Delete what was received, in one transaction."""
        by_target: defaultdict[str, list[str]] = defaultdict(list)
        for target, event_id in received:
            by_target[target].append(event_id)
        if by_target:
            with self._database.write() as connection:
                for target, event_ids in sorted(by_target.items()):
                    connection.execute(delete(bus_outbox).where(*self._mine(target, event_ids)))

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Make sends that did not happen due at once, and count them no longer."""
        statement = (
            update(bus_outbox)
            .where(*self._mine(target, list(event_ids)))
            .values(due_at=self._now, sends=bus_outbox.c.sends - 1)
        )
        with self._database.write() as connection:
            connection.execute(statement)

    def still_owed(self, target: str, event_ids: Collection[str]) -> set[str]:
        """Return which of these events are owed to a module still; takes no lock."""
        statement = select(bus_outbox.c.event_id).where(*self._mine(target, event_ids))
        with self._database.read() as session:
            return set(session.scalars(statement))

    def owed(self) -> list[Owed]:
        """Return what is owed by target, sorted."""
        statement = (
            select(bus_outbox.c.target, func.count(), self._now - func.min(bus_event.c.time))
            .join(bus_event, bus_event.c.id == bus_outbox.c.event_id)
            .group_by(bus_outbox.c.target)
            .order_by(bus_outbox.c.target)
        )
        with self._database.read() as session:
            return [Owed(target, count, age / 1e6) for target, count, age in session.execute(statement)]

    def _has_after_all(self, event_id: str) -> bool:
        """Try to write the event once more: the server waits for whoever is about to commit it, and says who was first.

        A reader would see nothing of a COMMIT whose client is gone and that the server is still busy with.
        """
        with self._database.engine.connect() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = {_PATIENCE}"))
            is_missing = connection.execute(_WRITE_AGAIN, {"id": event_id}).first() is not None
            connection.rollback()
        return not is_missing

    def _mine(self, target: str, event_ids: Collection[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return bus_outbox.c.target == target, self._dialect.among(bus_outbox.c.event_id, event_ids)


def _interval() -> ColumnElement[int]:
    """Return the interval until the next send, doubled by each send that went before."""
    doubled = literal(FIRST_INTERVAL, BigInteger).bitwise_lshift(bus_outbox.c.sends)
    return case((bus_outbox.c.sends >= _DOUBLINGS, LONGEST_INTERVAL), else_=doubled)
