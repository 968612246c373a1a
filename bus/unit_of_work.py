"""The running units of work of this thread of execution, and what takes part in their end.

The core knows a unit of work only by these ports; `bus.transaction` implements them with SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable
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

    def before_commit(self) -> bool:
        """Do what belongs inside the transaction and may still write; an exception rolls back.

        Asked again until every participant has answered False: there was nothing to do.
        """
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

    def was_committed(self) -> bool | None:
        """Look up whether what `write` wrote is there, where the reply to COMMIT was lost; None: nobody can say."""
        ...

    def after_unknown(self) -> None:
        """Act on an end of which nobody can say how it was; nothing may be raised."""
        ...


class UnitOfWork(Protocol):
    """One transaction on one module's database, in one thread."""

    @property
    def owner(self) -> object:
        """The database that the unit belongs to."""
        ...

    @property
    def is_running_here(self) -> bool:
        """Whether it has not ended, and this is its thread: a copied context may outlive it or leave its thread."""
        ...

    def participant(self, key: object, make: Callable[[], Participant]) -> Participant:
        """Return what takes part under this key, made at the first call."""
        ...


#: The units of work that this context has entered, innermost last; a joined unit stands here again.
_running: ContextVar[tuple[UnitOfWork, ...]] = ContextVar("bus_running_units", default=())


def innermost_unit() -> UnitOfWork | None:
    """Return the unit of work that code here runs in, or None."""
    for unit in reversed(_running.get()):
        if unit.is_running_here:
            return unit
    return None


def running_unit_of(owner: object) -> UnitOfWork | None:
    """Return the unit of work that is running on this database in this context, at any depth, or None."""
    for unit in _running.get():
        if unit.owner is owner and unit.is_running_here:
            return unit
    return None


def enter(unit: UnitOfWork) -> None:
    """Make the unit the innermost one, until a `leave` for each `enter` of it."""
    _running.set((*_running.get(), unit))


def leave(unit: UnitOfWork) -> None:
    """Let the unit be the innermost one no longer."""
    # Blocks that are held by generators may end in another order than they began.
    remaining = list(_running.get())
    if unit in remaining:
        del remaining[len(remaining) - 1 - remaining[::-1].index(unit)]
    _running.set(tuple(remaining))
