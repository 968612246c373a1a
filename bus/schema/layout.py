"""What a database holds: its tables, and the revisions that it has noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, String, column, inspect, select, table

#: Where every database notes which revisions it is at: a row for the bus's, and one for the module's own.
VERSION_TABLE = "bus_schema_version"


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of a database with the names of their columns, and the revisions it is at."""

    tables: Mapping[str, frozenset[str]]
    revisions: tuple[str, ...] = ()

    def has_any_of(self, metadata: MetaData) -> bool:
        """Say whether one of these tables is there."""
        return any(found in self.tables for found in metadata.tables)

    def problems(self, metadata: MetaData) -> Iterator[str]:
        """Yield what keeps code from working with these tables: what is missing, and columns that it does not know."""
        for expected in metadata.sorted_tables:
            if expected.name not in self.tables:
                yield f"table {expected.name} is missing"
                continue
            found, known = self.tables[expected.name], {column.name for column in expected.columns}
            yield from (f"{expected.name}.{name} is missing" for name in sorted(known - found))
            yield from (f"{expected.name}.{name} is unknown" for name in sorted(found - known))


def read_layout(connection: Connection) -> Layout:
    """Ask a database what it holds, in two queries where it can tell of all its tables at once."""
    columns = inspect(connection).get_multi_columns()
    tables = {name: frozenset(found["name"] for found in described) for (_, name), described in columns.items()}
    if VERSION_TABLE not in tables:
        return Layout(tables)
    noted = connection.scalars(select(column("version_num", String)).select_from(table(VERSION_TABLE)))
    return Layout(tables, tuple(sorted(noted)))
