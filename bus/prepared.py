"""Statements of the hot path, whose text is made once: to build it is most of what an execution costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, CursorResult, Dialect
from sqlalchemy.sql import ClauseElement


class Prepared:
    """A statement in the words of one database; thread-safe.

    What it returns is as the driver has it.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._text: str = compiled.string
        self._order: Sequence[str] | None = compiled.positiontup
        binds: Mapping[str, BindParameter[Any]] = compiled.binds
        self._moving = {name: bind.callable for name, bind in binds.items() if bind.callable is not None}
        self._fixed = {
            name: bind.value for name, bind in binds.items() if not bind.required and name not in self._moving
        }
        converters = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        self._converters = {name: convert for name, convert in converters.items() if convert is not None}

    def execute(self, connection: Connection, *rows: Mapping[str, object]) -> CursorResult[Any]:
        """Execute it once for each row of parameters."""
        return connection.exec_driver_sql(self._text, [self._given(row) for row in rows])

    def _given(self, parameters: Mapping[str, object]) -> Any:
        values = {**self._fixed, **parameters}
        for name, ask in self._moving.items():
            values[name] = ask()
        for name, convert in self._converters.items():
            values[name] = convert(values[name])
        return values if self._order is None else tuple(values[name] for name in self._order)
