"""The session of a unit of work, and what it and its connections tell the unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.orm import Session, SessionTransaction

from bus.errors import TransactionControlError


class SessionOwner(Protocol):
    """The unit of work, as its session sees it."""

    @property
    def name(self) -> str:
        """The name of its module."""
        ...

    def keep(self, savepoint: object) -> None:
        """Remember where the unit is, under a savepoint that is about to be set."""
        ...

    def rewind(self, savepoint: object) -> None:
        """Go back to where the unit was at a savepoint."""
        ...

    def database_failed(self, error: BaseException) -> None:
        """Hear of an error of the database, after which the unit can no longer commit."""
        ...

    def joined_connection(self) -> Connection:
        """Return the unit's connection, whose transaction the session joins."""
        ...

    def connection_commits(self, connection: Connection) -> None:
        """Hear that a connection is about to commit; raise TransactionControlError unless the unit itself wants it."""
        ...

    def transaction_ended(self) -> None:
        """Hear that the session's transaction has ended."""
        ...


class UnitSession(Session):
    """The session of a unit of work. Only the unit ends its transaction, so that its events and its rows agree.

    It works on the unit's connection, for which it asks with its first statement. What would end or replace the
    transaction is refused with a TransactionControlError.
    """

    def __init__(self, unit: SessionOwner) -> None:
        super().__init__(expire_on_commit=False, close_resets_only=False, join_transaction_mode="control_fully")
        self.unit = unit

    def get_bind(self, *_arguments: Any, **_details: Any) -> Connection:
        """Return the unit's connection, whatever is to be executed."""
        return self.unit.joined_connection()

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Set a savepoint where `nested`; refuse otherwise, for the unit has begun and ends by itself."""
        if not nested:
            self._refuse("begin")
        return self.begin_nested()

    def begin_nested(self) -> SessionTransaction:
        """Set a savepoint; events published after it are dropped when it is rolled back."""
        savepoint = super().begin(nested=True)
        self.unit.keep(savepoint)
        return savepoint

    def commit(self) -> NoReturn:
        """Refuse: the unit commits when its outermost block ends."""
        self._refuse("commit")

    def rollback(self) -> NoReturn:
        """Refuse: raise an exception to roll the unit back, or use a savepoint for a part of it."""
        self._refuse("rollback")

    def close(self) -> NoReturn:
        """Refuse: the unit closes its session."""
        self._refuse("close")

    def reset(self) -> NoReturn:
        """Refuse: it would end the transaction."""
        self._refuse("reset")

    def invalidate(self) -> NoReturn:
        """Refuse: it would end the transaction."""
        self._refuse("invalidate")

    def prepare(self) -> NoReturn:
        """Refuse: it would end the transaction."""
        self._refuse("prepare")

    def _refuse(self, action: str) -> NoReturn:
        raise TransactionControlError(
            f"{action}() inside a unit of work of {self.unit.name!r}: it has begun, and ends by itself, with a commit "
            "when its outermost block ends and with a rollback when an exception leaves it; for a part of it use "
            "savepoint()"
        )


@event.listens_for(UnitSession, "after_soft_rollback")
def _rewind(session: UnitSession, previous: SessionTransaction) -> None:
    # A flush that fails takes the savepoint around it back, and tells of its own part alone.
    ended: SessionTransaction | None = previous
    while ended is not None and not ended.nested:
        ended = ended.parent
    if ended is not None:
        session.unit.rewind(ended)


@event.listens_for(UnitSession, "after_transaction_end")
def _end(session: UnitSession, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.unit.transaction_ended()


class _SavepointNames:
    """The names by which SQLAlchemy tells that savepoints are rolled back: it counts them once it has told of each."""

    def __init__(self) -> None:
        self._counts: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()

    def next(self, connection: Connection) -> str:
        """Return the name of the savepoint that is being set."""
        self._counts[connection] = self._counts.get(connection, 0) + 1
        return f"sa_savepoint_{self._counts[connection]}"


def follow_connections(engine: Engine, running_unit: Callable[[], SessionOwner | None]) -> None:
    """Make an engine's connections tell the running unit of savepoints and errors that its session does not see.

    An error of the database fails the unit even where the exception is swallowed, as PostgreSQL has it; a
    savepoint around the statement is the way to handle one. What happens on an engine that was made of this one, and
    only shares its pool, is not the unit's.
    """

    def unit_of(used: Engine | None) -> SessionOwner | None:
        return running_unit() if used is engine else None

    names = _SavepointNames()

    @event.listens_for(engine, "savepoint")
    def keep(connection: Connection, name: str | None) -> None:
        found = name or names.next(connection)
        if (unit := unit_of(connection.engine)) is not None:
            unit.keep(found)

    @event.listens_for(engine, "rollback_savepoint")
    def rewind(connection: Connection, name: str, _context: object) -> None:
        if (unit := unit_of(connection.engine)) is not None:
            unit.rewind(name)

    @event.listens_for(engine, "commit")
    def commit(connection: Connection) -> None:
        if (unit := unit_of(connection.engine)) is not None:
            unit.connection_commits(connection)

    @event.listens_for(engine, "handle_error")
    def fail(context: ExceptionContext) -> None:
        if (unit := unit_of(context.engine)) is not None:
            unit.database_failed(context.sqlalchemy_exception or context.original_exception)
