"""Where the tables of a database are not those of the code, looked at more closely than at a start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from bus.schema.layout import VERSION_TABLE
from bus.schema.revisions import Revisions


def differences(connection: Connection, revisions: Revisions) -> tuple[str, ...]:
    """Return how tables, columns, types, keys and indexes differ from those of the code, each in a few words."""
    context = comparison(connection)
    both: Any = [line.metadata for line in revisions.lines]  # it takes several, and its annotation says one
    found = compare_metadata(context, both)
    return tuple(sorted(words for difference in found for words in _told(difference)))


def comparison(connection: Connection, **options: Any) -> MigrationContext:
    """Return what Alembic compares tables with: it leaves out what belongs to databases of another kind."""

    def is_of_this_kind(thing: Any, *_more: object) -> bool:
        # SQLAlchemy shows nobody what `ddl_if` was given, and Alembic does not ask.
        kinds = getattr(getattr(thing, "_ddl_if", None), "dialect", None)
        return kinds is None or connection.dialect.name in ((kinds,) if isinstance(kinds, str) else kinds)

    opts = {"version_table": VERSION_TABLE, "include_object": is_of_this_kind, **options}
    return MigrationContext.configure(connection, opts=opts)


def _told(difference: Any) -> Iterator[str]:
    """Yield the words for a difference; those of one column come in a list."""
    for kind, *facts in difference if isinstance(difference, list) else [difference]:
        verb, _, what = kind.partition("_")
        if verb == "modify":
            yield _changed(what, *facts)
        else:
            yield f"{_named(what, facts)} is {'missing' if verb == 'add' else 'unknown'}"


def _changed(what: str, _schema: str | None, table: str, column: str, _options: object, *values: object) -> str:
    there, wanted = values
    if what == "nullable":
        there, wanted = ("nullable" if value else "not null" for value in values)
    return f"{table}.{column} is {there}, the code has {wanted}"


def _named(what: str, facts: list[Any]) -> str:
    if what == "column":
        _, table, column = facts
        return f"{table}.{column.name}"
    (thing,) = facts
    if what == "table":
        return f"table {thing.name}"
    word = {"index": "index", "fk": "foreign key"}.get(what, "constraint")
    columns = ", ".join(column.name for column in thing.columns)
    return f"{word} {thing.name or 'on'} ({columns}) of {thing.table.name}"
