"""The running units of work of this thread of execution, and what takes part in their end.

The core knows a unit of work only by these ports; `bus.transaction` implements them with SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Participant(Protocol):
    """Takes part in the end of one unit of work. The calls come in the order in which they stand here."""

    def mark(self) -> int:
        """Return how far it is, for a savepoint that is set now."""
        ...

    def rewind(self, mark: int) -> None:
        """Forget everything since the mark: its savepoint was rolled back."""
        ...

    def before_commit(self) -> None:
        """Do what belongs inside the transaction and may still write; an exception rolls back."""
        ...

    def write(self) -> None:
        """Write its own rows into the transaction, after everybody's `before_commit`; an exception rolls back."""
        ...

    def after_commit(self) -> None:
        """Act on the commit. The connection is back in its pool; nothing may be raised."""
        ...

    def after_rollback(self) -> None:
        """Act on the rollback. The connection is back in its pool; nothing may be raised."""
        ...


class UnitOfWork(Protocol):
    """One transaction on one module's database."""

    @property
    def owner(self) -> object:
        """The database that the unit belongs to."""
        ...

    def participant(self, key: object, make: Callable[[], Participant]) -> Participant:
        """Return what takes part under this key, made at the first call."""
        ...


#: The units of work that this context has entered, innermost last; a joined unit stands here again.
_running: ContextVar[tuple[UnitOfWork, ...]] = ContextVar("bus_running_units", default=())


def innermost_unit() -> UnitOfWork | None:
    """Return the unit of work that code here runs in, or None."""
    running = _running.get()
    return running[-1] if running else None


def running_unit_of(owner: object) -> UnitOfWork | None:
    """Return the unit of work that is running on this database in this context, at any depth, or None."""
    return next((unit for unit in _running.get() if unit.owner is owner), None)


@contextmanager
def running(unit: UnitOfWork) -> Iterator[None]:
    """Make the unit the innermost one until the block ends."""
    token = _running.set((*_running.get(), unit))
    try:
        yield
    finally:
        _running.reset(token)
