"""The quarantine on SQLAlchemy Core."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import Insert, insert

from bus.clock import Clock
from bus.database import Database
from bus.inbox.quarantine import MAX_KEPT, Quarantined
from bus.tables import bus_quarantine

_COLUMNS = tuple(
    bus_quarantine.c[name] for name in ("digest", "first_at", "last_at", "times", "origin", "problem", "size", "data")
)


def digest_of(data: bytes) -> str:
    """Return what the bytes are known by."""
    return hashlib.sha256(data).hexdigest()


def kept(data: bytes, *, origin: str, problem: str, now: int) -> Insert:
    """Return the statement that keeps bytes, or counts that they came again."""
    again = {"last_at": now, "times": bus_quarantine.c.times + 1, "origin": origin[:200]}
    adding = insert(bus_quarantine).values(
        digest=digest_of(data),
        first_at=now,
        last_at=now,
        times=1,
        origin=origin[:200],
        problem=problem,
        size=len(data),
        data=data[:MAX_KEPT],
    )
    return adding.on_conflict_do_update(index_elements=["digest"], set_=again)


class SqlAlchemyQuarantineStore:
    """Keeps what reached one module and was no envelope in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, data: bytes, *, origin: str, problem: str) -> str:
        """Keep bytes once, by their digest, and count how often they came."""
        with self._database.write() as connection:
            connection.execute(kept(data, origin=origin, problem=problem, now=self._clock.microseconds()))
        return digest_of(data)

    def all(self) -> list[Quarantined]:
        """Return what is kept, the newest first."""
        with self._database.read() as session:
            rows = session.execute(select(*_COLUMNS).order_by(bus_quarantine.c.last_at.desc()))
            return [Quarantined(*row) for row in rows]

    def remove(self, digest: str) -> bool:
        """Delete one."""
        with self._database.write() as connection:
            return connection.execute(delete(bus_quarantine).where(bus_quarantine.c.digest == digest)).rowcount == 1
