"""The database of one module: engines, units of work, reads, and the set-up of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, MetaData, make_url, select, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bus.errors import BusError, TransactionControlError
from bus.module import Module
from bus.pool import Engines
from bus.postgresql import WORKERS, cut_off, postgresql_engines, schema_of
from bus.prepared import ForPostgresql, Otherwise, Prepared
from bus.sqlite import WriterQueue, sqlite_engines
from bus.tables import bus_outbox
from bus.transaction import JoinedUnit, NewUnit, SqlAlchemyUnitOfWork, no_unit
from bus.unit_of_work import innermost_unit, running_unit_of
from bus.unit_session import follow_connections

if TYPE_CHECKING:
    from bus.schema.schema import Schema


class Database:
    """One module's database. Opens no connection before it is used; thread-safe.

    On SQLite every unit of work holds the file's write lock from its first statement on, so a module has one
    writer at a time; reads go through an engine of their own and wait for nobody. On PostgreSQL rows are locked, and
    several threads work for a module; `schema` in the URL's query names the schema that its tables are in.

    Attributes:
        name: The name of the module.
        engine: The SQLAlchemy engine that writes.
        read_engine: The one that cannot.
        migrations: Where the module's own revisions lie, or would.
        is_postgresql: Whether it is PostgreSQL; otherwise it is SQLite.
        workers: Threads that run the module's listeners in one process.
    """

    def __init__(
        self,
        name: str,
        url: str | URL,
        *,
        metadata: MetaData | None = None,
        migrations: Path | None = None,
        workers: int | None = None,
    ) -> None:
        self.name = name
        self.url = _parsed(name, url)
        self.metadata = metadata if metadata is not None else MetaData()
        self.migrations = migrations
        self.is_postgresql = self.url.get_backend_name() == "postgresql"
        self.workers = _workers(name, workers, is_postgresql=self.is_postgresql)
        self._engines = self._make_engines()
        self.engine, self.read_engine = self._engines.writing, self._engines.reading
        self._read_sessions = sessionmaker(self.read_engine, expire_on_commit=False)
        follow_connections(self.engine, self._running_unit)

    @classmethod
    def of(cls, module: Module, url: str | URL, *, workers: int | None = None) -> Database:
        """Return the database of a module, with the tables and the revisions that the module names."""
        folder = module.migrations_folder()
        return cls(module.name, url, metadata=module.metadata(), migrations=folder, workers=workers)

    @property
    def writers(self) -> WriterQueue | None:
        """Those of this process who wait for SQLite's write lock, in turn; None on PostgreSQL."""
        return self._engines.writers

    @property
    def session(self) -> Session:
        """The session of the unit of work that is running here.

        Raises:
            NoTransactionError: None of this database is running, or the innermost one is another module's.
        """
        return self._innermost_unit().session

    @property
    def connection(self) -> Connection:
        """The connection of the unit of work that is running here, for SQLAlchemy Core.

        What the session still holds back is not written before a statement, as the session would do.

        Raises:
            NoTransactionError: As `session`.
        """
        return self._innermost_unit().connection

    def transaction(self) -> AbstractContextManager[SqlAlchemyUnitOfWork]:
        """Return a block that runs in a unit of work: the one that is running on this database, or a new one.

        A new one commits at the end of the block and rolls back when an exception leaves it. The unit belongs
        to this thread and context; units of other databases never mix with it.
        """
        unit = self._running_unit()
        if unit is not None:
            return JoinedUnit(unit)
        return NewUnit(SqlAlchemyUnitOfWork(self, self.name, self.engine))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Run a part of the running unit of work so that it can be rolled back alone.

        An exception that leaves the block rolls back to its start, drops the events published in it, and
        goes on to the caller.
        """
        with self.session.begin_nested():
            yield

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Run a block with a session that reads one consistent state and cannot write."""
        with self._read_sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a block in a transaction beside any unit of work, for the bus's own tables.

        Raises:
            TransactionControlError: A unit of work of this database is running here, whose lock it would wait for.
        """
        if self._running_unit() is not None:
            raise TransactionControlError(
                f"this writes to the database of {self.name!r} in a transaction of its own, which would wait for the "
                "unit of work that is running here, in a listener or a block; do it after that"
            )
        with self.engine.begin() as connection:
            yield connection

    def write_last(
        self,
        connection: Connection,
        statement: Prepared,
        row: Mapping[str, object],
        *,
        otherwise: Otherwise | None = None,
    ) -> None:
        """Execute one of the last statements of a unit of work, on PostgreSQL together with its COMMIT.

        On SQLite, and in a transaction beside any unit of work, it is executed at once.

        Raises:
            Exception: What `otherwise` makes, where it did not hit the one row that it has to; now, or from the commit.
        """
        unit = self._running_unit()
        if unit is not None and isinstance(statement, ForPostgresql):
            unit.write_last(statement.request(row, otherwise))
        else:
            statement.execute(connection, row, otherwise=otherwise)

    @property
    def schema(self) -> Schema:
        """The tables, to be checked and upgraded; reads the revisions anew.

        Raises:
            SchemaError: The revisions are none that follow one another.
        """
        # Alembic doubles the time that an import of the bus takes; who has no database needs none of it.
        from bus.schema.schema import Schema

        return Schema(
            self.name,
            self.metadata,
            self.migrations,
            writing=self.engine,
            reading=self.read_engine,
            namespace=schema_of(self.url),
        )

    def create_tables(self) -> bool:
        """Create the module's tables and the bus's in an empty database; return whether it did.

        Safe when several processes start at once: one creates them.

        Raises:
            SchemaError: The tables that are there are not those that this code works with.
        """
        return self.schema.set_up()

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without a password."""
        return self.url.render_as_string(hide_password=True)

    def check_tables(self) -> None:
        """Look whether the tables are those that this code works with; writes nothing.

        Raises:
            SchemaError: They are not, or there are none.
            SQLAlchemyError: The database does not answer.
        """
        self.schema.check()

    def answers(self) -> bool:
        """Say whether the database has the bus's tables; on PostgreSQL within seconds, and not of a standby.

        It takes no connection of the pool: while others wait for a server that stands still, this does not.
        """
        try:
            with self._engines.probing.connect() as connection:
                connection.execute(select(bus_outbox.c.target).limit(1))
                return not self.is_postgresql or _takes_changes(connection)
        except SQLAlchemyError:
            return False

    def takes_writes(self) -> bool:
        """Say whether a transaction that writes can begin."""
        try:
            with self.write() as connection:
                # PostgreSQL begins with the first statement; a standby takes that, and no change.
                return not self.is_postgresql or _takes_changes(connection)
        except SQLAlchemyError:
            return False

    def cut_off(self, connection: object) -> bool:
        """Roll back what another thread does on a driver's connection; False where it has none, or nobody else can."""
        if not self.is_postgresql or connection is None:
            return False
        cut_off(connection)
        return True

    def close(self) -> None:
        """Close every idle connection; the next use opens new ones."""
        self.engine.dispose()
        self.read_engine.dispose()

    def before_fork(self) -> None:
        """Let other threads finish what they ask the database, and close idle connections: a child inherits none."""
        if self._running_unit() is None:
            self._engines.gate.pause()
        self.close()

    def after_fork_in_parent(self) -> None:
        """Let other threads go on."""
        self._engines.gate.resume()

    def after_fork_in_child(self) -> None:
        """Drop the pools without closing what is in them: the parent uses it still."""
        if self.writers is not None:
            self.writers.renew()
        self._engines.gate.renew()
        self.engine.dispose(close=False)
        self.read_engine.dispose(close=False)

    def _make_engines(self) -> Engines:
        if self.is_postgresql:
            return postgresql_engines(self.name, self.url, self.workers)
        return sqlite_engines(self.name, self.url)

    def _innermost_unit(self) -> SqlAlchemyUnitOfWork:
        unit = innermost_unit()
        if isinstance(unit, SqlAlchemyUnitOfWork) and unit.owner is self:
            return unit
        raise no_unit(self.name)

    def _running_unit(self) -> SqlAlchemyUnitOfWork | None:
        unit = running_unit_of(self)
        return unit if isinstance(unit, SqlAlchemyUnitOfWork) else None


def _takes_changes(connection: Connection) -> bool:
    return bool(connection.scalar(text("SHOW transaction_read_only")) == "off")


def _parsed(name: str, url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BusError(f"the database URL of {name!r} cannot be read; such as sqlite:///instance/{name}.db") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise BusError(
            f"the database of {name!r} is {parsed.drivername}://…; this release works with sqlite:///FILE and "
            "postgresql+psycopg://USER@HOST/DATABASE"
        )
    return parsed


def _workers(name: str, count: int | None, *, is_postgresql: bool) -> int:
    if count is not None and count < 1:
        raise BusError(f"{count} workers for {name!r}: at least 1 has to run its listeners")
    if not is_postgresql and count not in (None, 1):
        raise BusError(
            f"{count} workers for {name!r}, whose database is SQLite: it has one writer, the others would only wait; "
            "leave the number out, or put the module on PostgreSQL"
        )
    return count or (WORKERS if is_postgresql else 1)
