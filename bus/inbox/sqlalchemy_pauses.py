"""The pauses on SQLAlchemy Core."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, or_, select, update

from bus.clock import Clock
from bus.database import Database
from bus.dialects import dialect_of
from bus.inbox.pauses import Pause, PauseKind
from bus.present import present
from bus.tables import bus_pause

_COLUMNS = tuple(bus_pause.c[name] for name in ("target", "kind", "reason", "who", "since", "until", "probes"))


class SqlAlchemyPauseStore:
    """Keeps one module's pauses in its database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._dialect = dialect_of(database)
        self._now = present(database, clock)

    def all(self) -> list[Pause]:
        """Return the pauses that have not ended, sorted by target."""
        with self._database.read() as session:
            rows = session.execute(select(*_COLUMNS).where(self._lasts()).order_by(bus_pause.c.target)).all()
        return [Pause(target, PauseKind(kind), *rest) for target, kind, *rest in rows]

    def set(self, pause: Pause) -> None:
        """Write a pause in place of its target's; a kill switch leaves an operator's that has not ended."""
        values = {column.name: getattr(pause, column.name) for column in _COLUMNS}
        adding = self._dialect.upsert(bus_pause).values(values)
        is_over = bus_pause.c.until.is_not(None) & (bus_pause.c.until <= self._now)
        may_replace = or_(bus_pause.c.kind == PauseKind.KILL_SWITCH, is_over)
        statement = adding.on_conflict_do_update(
            index_elements=["target"],
            set_=values,
            where=may_replace if pause.kind is PauseKind.KILL_SWITCH else None,
        )
        with self._database.write() as connection:
            connection.execute(statement)

    def remove(self, target: str, kind: PauseKind | None = None) -> bool:
        """Delete a pause, of one kind or of any."""
        of_target = [bus_pause.c.target == target, *(() if kind is None else (bus_pause.c.kind == kind,))]
        with self._database.write() as connection:
            return connection.execute(delete(bus_pause).where(*of_target, self._lasts())).rowcount == 1

    def take_probe(self, target: str, next_probe: int) -> bool:
        """Move the time of the next probe on, where this one's has come; one taker hits the row."""
        statement = (
            update(bus_pause)
            .where(
                bus_pause.c.target == target,
                bus_pause.c.kind == PauseKind.KILL_SWITCH,
                bus_pause.c.until <= self._now,
            )
            .values(until=next_probe)
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1

    def _lasts(self) -> ColumnElement[bool]:
        return or_(
            bus_pause.c.kind == PauseKind.KILL_SWITCH,
            bus_pause.c.until.is_(None),
            bus_pause.c.until > self._now,
        )
