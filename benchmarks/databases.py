"""Databases that a measurement has for itself, and that are gone after it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

#: The server on which databases may be created, unless another one is named.
SERVER = "postgresql+psycopg://root@127.0.0.1:5432/postgres"


@contextmanager
def fresh_files() -> Iterator[str]:
    """Give the URL of SQLite files that are not there yet; `{module}` stands for a module's name."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/{{module}}.db"


class Server:
    """A PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    @contextmanager
    def fresh_database(self) -> Iterator[URL]:
        """Give the URL of a database in which nothing is."""
        name = f"modular_bus_benchmark_{uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield self._url.set(database=name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def fresh_schemas(self) -> Iterator[str]:
        """Give the URL of schemas in a fresh database; `{module}` stands for a module's name."""
        with self.fresh_database() as url:
            yield f"{url.render_as_string(hide_password=False)}?schema={{module}}"

    def version(self) -> str:
        """Return what the server says of itself."""
        with self._engine().connect() as connection:
            return str(connection.scalar(text("SHOW server_version")))

    def require_connections(self, number: int) -> None:
        """End the run unless so many connections are free: to take the last ones would fail whoever else needs one."""
        free = """
            SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        """
        with self._engine().connect() as connection:
            found = connection.scalar(text(free)) or 0
        if found < number:
            sys.exit(f"{found} connections to the server are free and {number} are needed; wait, or --without-peers")

    def _execute(self, statement: str) -> None:
        with self._engine().connect() as connection:
            connection.execute(text(statement))

    def _engine(self) -> Engine:
        return create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
