"""Setting up an empty database, and refusing one whose tables this code does not know."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Inspector, MetaData, Table, inspect

from bus import tables
from bus.errors import SchemaError


def create_missing(name: str, engine: Engine, metadata: MetaData) -> bool:
    """Create the tables of a module and of the bus where none of them exists; return whether it did.

    Raises:
        SchemaError: Some exist and some do not, or one has other columns.
    """
    expected = [*metadata.sorted_tables, *tables.metadata.sorted_tables]
    if _has_all(name, engine, expected):
        return False
    with engine.begin() as connection:
        # Another process may have created them while this one waited for the write lock.
        if _has_all(name, connection, expected):
            return False
        metadata.create_all(connection)
        tables.metadata.create_all(connection)
    return True


def require_all(name: str, engine: Engine, metadata: MetaData) -> None:
    """Raise SchemaError unless the tables of a module and of the bus are there, as this code works with them."""
    expected = [*metadata.sorted_tables, *tables.metadata.sorted_tables]
    if not _has_all(name, engine, expected):
        raise SchemaError(f"the database of {name!r} has no tables; start the application once, and it makes them")


def _has_all(name: str, bind: Engine | Connection, expected: list[Table]) -> bool:
    inspector = inspect(bind)
    found = set(inspector.get_table_names())
    missing = [table.name for table in expected if table.name not in found]
    if len(missing) == len(expected):
        return False
    problems = [f"table {table} is missing" for table in missing]
    problems += [p for table in expected if table.name in found for p in _column_problems(inspector, table)]
    if problems:
        raise SchemaError(
            f"the database of {name!r} has another table layout than this version of the code works with: "
            f"{'; '.join(problems)}. Run the version that wrote it, or move the file away to begin with an empty one"
        )
    return True


def _column_problems(inspector: Inspector, table: Table) -> list[str]:
    found = {column["name"] for column in inspector.get_columns(table.name)}
    expected = {column.name for column in table.columns}
    return [f"{table.name}.{column} is missing" for column in sorted(expected - found)] + [
        f"{table.name}.{column} is unknown" for column in sorted(found - expected)
    ]
