"""Statements of the hot path, whose text is made once: to build it is most of what an execution costs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import BindParameter, Connection, Dialect
from sqlalchemy.sql import ClauseElement

#: Makes the error for a statement that did not hit the one row that it has to.
Otherwise = Callable[[], Exception]


class Answer(NamedTuple):
    """What a statement has done: how many rows it hit, and on PostgreSQL the first row of its answer, as text."""

    rowcount: int
    row: Sequence[bytes | None] | None = None


class Request(NamedTuple):
    """One statement on its way to a PostgreSQL server.

    Attributes:
        text: The statement, with `$1`, `$2`, … for its values; ASCII, which every encoding has in it.
        name: The one under which the server keeps it once it has parsed it.
        values: Its values, in order: text, bytes, whole numbers, or None.
        otherwise: Makes the error for a statement that did not hit the one row that it has to.
    """

    text: bytes
    name: bytes
    values: Sequence[object]
    otherwise: Otherwise | None = None


class Prepared(Protocol):
    """A statement in the words of one database; thread-safe."""

    def execute(
        self,
        connection: Connection,
        *rows: Mapping[str, object],
        otherwise: Otherwise | None = None,
        commit: bool = False,
    ) -> Answer:
        """Execute it once for each row of parameters, and return the last answer.

        With `commit` its transaction is committed with it; the connection that it was given goes on without one.

        Raises:
            Exception: What `otherwise` makes, where it did not hit the one row that it has to.
        """
        ...


def prepared(statement: ClauseElement, dialect: Dialect) -> Prepared:
    """Return a statement for the database of a dialect."""
    return ForPostgresql(statement, dialect) if dialect.name == "postgresql" else ForSqlite(statement, dialect)


class _Parameters:
    """The parameters of a compiled statement: what is fixed, and what is asked for at each execution."""

    def __init__(self, compiled: Any) -> None:
        binds: Mapping[str, BindParameter[Any]] = compiled.binds
        self.order: Sequence[str] = compiled.positiontup
        self._moving = {name: bind.callable for name, bind in binds.items() if bind.callable is not None}
        self._fixed = {
            name: bind.value for name, bind in binds.items() if not bind.required and name not in self._moving
        }

    def given(self, row: Mapping[str, object]) -> tuple[object, ...]:
        """Return the values of an execution, in order."""
        if self._fixed or self._moving:
            row = {**self._fixed, **row, **{name: ask() for name, ask in self._moving.items()}}
        return tuple([row[name] for name in self.order])


class ForSqlite:
    """A statement that SQLAlchemy executes."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._text: str = compiled.string
        self._parameters = _Parameters(compiled)

    def execute(
        self,
        connection: Connection,
        *rows: Mapping[str, object],
        otherwise: Otherwise | None = None,
        commit: bool = False,
    ) -> Answer:
        """Execute it."""
        found = connection.exec_driver_sql(self._text, [self._parameters.given(row) for row in rows])
        if otherwise is not None and found.rowcount != 1:
            raise otherwise()
        if commit:
            connection.exec_driver_sql("COMMIT")
        return Answer(found.rowcount)


class ForPostgresql:
    """A statement that the server parses once for each connection, and that needs no round trip of its own."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        numbered: Any = type(dialect)
        compiled: Any = statement.compile(dialect=numbered(paramstyle="numeric_dollar"))
        self._text: bytes = compiled.string.encode("ascii")
        self._name = b"modular_bus_" + hashlib.sha256(self._text).hexdigest()[:24].encode()
        self._parameters = _Parameters(compiled)

    def execute(
        self,
        connection: Connection,
        *rows: Mapping[str, object],
        otherwise: Otherwise | None = None,
        commit: bool = False,
    ) -> Answer:
        """Execute it."""
        from bus.pipeline import in_one_round_trip

        return in_one_round_trip(connection, [self.request(row, otherwise) for row in rows], commit=commit)[-1]

    def request(self, row: Mapping[str, object], otherwise: Otherwise | None = None) -> Request:
        """Return an execution of it that is to go together with others."""
        return Request(self._text, self._name, self._parameters.given(row), otherwise)
