"""The databases that tests run on: files of their own, and a PostgreSQL server where one answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

#: The server, unless TEST_POSTGRESQL_URL names another one, on which databases may be created.
SERVER = "postgresql+psycopg://root@127.0.0.1:5432/postgres"

#: The modules of the application, and of the shop in tests/durable.
MODULES = ("order", "restaurant", "kitchen")

#: Empties every table, in whatever order their foreign keys allow; to create them anew takes twenty times as long.
EMPTY = """
DO $$
DECLARE
    found record;
    is_done boolean := false;
BEGIN
    SET LOCAL lock_timeout = '10s';
    WHILE NOT is_done LOOP
        is_done := true;
        FOR found IN SELECT schemaname, tablename FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE '%version%'
        LOOP
            BEGIN
                EXECUTE format('DELETE FROM %I.%I', found.schemaname, found.tablename);
            EXCEPTION WHEN foreign_key_violation THEN
                is_done := false;
            END;
        END LOOP;
    END LOOP;
    FOR found IN SELECT schemaname, sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I.%I RESTART', found.schemaname, found.sequencename);
    END LOOP;
END $$
"""

#: For tests of what SQLite, or PostgreSQL, does in a way of its own; and for those that run on one unless they say so.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Server:
    """A PostgreSQL server, with databases of this run that are removed at its end."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._names: dict[str, str] = {}

    def url_of(self, layout: str) -> str:
        """Return the URL of a database in which the modules have schemas; `{module}` stands for their names.

        Args:
            layout: Tests that name the same one find the tables that others have made, and nothing in them.
        """
        if layout not in self._names:
            self._create(layout, f"modular_bus_test_{uuid4().hex[:12]}")
        url = self._url.set(database=self._names[layout]).render_as_string(hide_password=False)
        return f"{url}{'&' if '?' in url else '?'}schema={{module}}"

    def url_of_one_each(self, layout: str) -> str:
        """Return the URL of databases of which each module has one; `{module}` stands for their names."""
        stem = f"modular_bus_test_{uuid4().hex[:12]}"
        for module in MODULES:
            self._create(f"{layout} {module}", f"{stem}_{module}")
        url = self._url.set(database=f"{stem}_{{module}}").render_as_string(hide_password=False)
        return url.replace(quote("{module}"), "{module}")

    def empty(self, layout: str) -> None:
        """Delete whatever a test has left."""
        with self._connection(self._names[layout]) as connection:
            connection.execute(text(EMPTY))

    def drop(self, layout: str) -> None:
        """Remove a database, whoever is connected still."""
        self._execute(f"DROP DATABASE {self._names.pop(layout)} WITH (FORCE)")

    def drop_one_each(self, layout: str) -> None:
        """Remove the databases of all modules, whoever is connected still."""
        for module in MODULES:
            self.drop(f"{layout} {module}")

    def drop_all(self) -> None:
        """Remove every database of this run."""
        for layout in list(self._names):
            self.drop(layout)

    def ask(self) -> None:
        """Raise OperationalError unless the server answers."""
        self._execute("SELECT 1")

    def _create(self, layout: str, name: str) -> None:
        self._execute(f"CREATE DATABASE {name}")
        # What a test commits has to survive no power loss.
        self._execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        self._names[layout] = name

    def _execute(self, statement: str) -> None:
        with self._connection(None) as connection:
            connection.execute(text(statement))

    def _connection(self, database: str | None) -> Connection:
        url = self._url if database is None else self._url.set(database=database)
        arguments = {} if "connect_timeout" in url.query else {"connect_timeout": 5}
        return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=arguments).connect()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Find the server; where none answers, tests that need it are skipped, or fail where services are required."""
    url = make_url(os.environ.get("TEST_POSTGRESQL_URL", SERVER))
    server = Server(url)
    try:
        server.ask()
    except OperationalError as error:
        told = f"no PostgreSQL answers at {url.render_as_string()} (TEST_POSTGRESQL_URL): {error.orig}"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(told)
        pytest.skip(told)
    yield server
    server.drop_all()


@pytest.fixture
def postgresql_url(postgresql_server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a URL, with `{module}` in it, of schemas that are empty but for the tables that tests beside this made."""
    layout = request.path.parent.name
    yield postgresql_server.url_of(layout)
    postgresql_server.empty(layout)


@pytest.fixture
def fresh_postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """Give a URL, with `{module}` in it, of a database that nothing was ever in."""
    layout = uuid4().hex
    yield postgresql_server.url_of(layout)
    postgresql_server.drop(layout)


@pytest.fixture
def one_each_url(postgresql_server: Server) -> Iterator[str]:
    """Give a URL, with `{module}` in it, of a database for each module that nothing was ever in; it names no schema."""
    layout = uuid4().hex
    yield postgresql_server.url_of_one_each(layout)
    postgresql_server.drop_one_each(layout)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a module's database, with `{module}` for its name, on either database in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/{{module}}.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the same where nothing has been yet, for tests that change tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/{{module}}.db"
    return str(request.getfixturevalue("fresh_postgresql_url"))
