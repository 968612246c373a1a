"""One transaction in which one process alone changes the tables of a database, while others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.schema import CreateSchema

from bus.errors import SchemaError

#: Milliseconds that a change waits for a table that somebody uses: all who come after it wait behind it.
LOCK_TIMEOUT = 10_000


@contextmanager
def alone(engine: Engine, namespace: str | None = None) -> Iterator[Connection]:
    """Run a block in a transaction that nobody else changes tables beside; it is rolled back when an error leaves it.

    Args:
        engine: What writes to the database.
        namespace: The schema on PostgreSQL that the tables are in; it is made where it is not there.

    Raises:
        SchemaError: On SQLite, that rows would be left which refer to rows that are not there.
    """
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        with _on_sqlite(connection) if is_sqlite else _on_postgresql(connection, namespace):
            yield connection


@contextmanager
def _on_sqlite(connection: Connection) -> Iterator[None]:
    """Hold the write lock; check references at the end alone, for a table is rebuilt by dropping it."""
    # Within a transaction SQLite passes this over.
    connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            yield
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise SchemaError(f"rows of {broken[0]} would refer to rows of {broken[2]} that are not there")
    finally:
        connection.connection.cursor().execute("PRAGMA foreign_keys = ON")


@contextmanager
def _on_postgresql(connection: Connection, namespace: str | None) -> Iterator[None]:
    """Wait for whoever changes this schema, however long that takes; and then for no table long."""
    with connection.begin():
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        what = func.concat("modular-bus schema ", namespace or func.current_schema())
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
        connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}"))
        if namespace is not None and not inspect(connection).has_schema(namespace):
            connection.execute(CreateSchema(namespace))
        yield
