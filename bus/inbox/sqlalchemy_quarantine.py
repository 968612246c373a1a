"""The quarantine on SQLAlchemy Core."""

from __future__ import annotations

import hashlib

from sqlalchemy import ColumnElement, delete, select

from bus.clock import Clock
from bus.database import Database
from bus.dialects import Upsert, dialect_of
from bus.inbox.quarantine import MAX_KEPT, Quarantined
from bus.present import present
from bus.tables import bus_quarantine

_COLUMNS = tuple(
    bus_quarantine.c[name] for name in ("digest", "first_at", "last_at", "times", "origin", "problem", "size", "data")
)


def digest_of(data: bytes) -> str:
    """Return what the bytes are known by."""
    return hashlib.sha256(data).hexdigest()


def kept(adding: Upsert, data: bytes, *, origin: str, problem: str, now: ColumnElement[int]) -> Upsert:
    """Return the statement that keeps bytes, or counts that they came again.

    Args:
        adding: An insert into the quarantine's table.
        data: The bytes.
        origin: Where they came from.
        problem: What is wrong with them.
        now: The present moment, as a statement takes it.
    """
    again = {"last_at": now, "times": bus_quarantine.c.times + 1, "origin": origin[:200]}
    values = adding.values(
        digest=digest_of(data),
        first_at=now,
        last_at=now,
        times=1,
        origin=origin[:200],
        problem=_storable(problem),
        size=len(data),
        data=data[:MAX_KEPT],
    )
    return values.on_conflict_do_update(index_elements=["digest"], set_=again)


def _storable(text: str) -> str:
    # What is said of somebody's bytes may hold some of them; PostgreSQL has no text with a zero or half a character.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class SqlAlchemyQuarantineStore:
    """Keeps what reached one module and was no envelope in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._dialect = dialect_of(database)
        self._now = present(database, clock)

    def add(self, data: bytes, *, origin: str, problem: str) -> str:
        """Keep bytes once, by their digest, and count how often they came."""
        with self._database.write() as connection:
            adding = self._dialect.upsert(bus_quarantine)
            connection.execute(kept(adding, data, origin=origin, problem=problem, now=self._now))
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
