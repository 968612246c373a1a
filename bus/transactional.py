"""`@transactional`: methods that run in a unit of work of their module's database."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bus.errors import TransactionControlError
from bus.signature import require_plain

P = ParamSpec("P")
R = TypeVar("R")


class HasTransactions(Protocol):
    """What `transactional` needs of an object: the database of its module."""

    @property
    def database(self) -> TransactionSource:
        """The module's database."""
        ...


class TransactionSource(Protocol):
    """Opens units of work."""

    def transaction(self) -> Any:
        """Return a context manager for a unit of work."""
        ...


S = TypeVar("S", bound=HasTransactions)


def transactional(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a method in a unit of work of `self.database`: its own, or the one that is running already.

    The commit comes when the outermost such method returns; an exception that leaves one of them rolls the
    whole back, and swallowing it further out does not save it.
    """
    require_plain(method, TransactionControlError)

    @functools.wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.database.transaction():
            return method(self, *args, **kwargs)

    return run
