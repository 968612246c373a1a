"""The database of one module: engines, units of work, reads, and the set-up of its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import URL, Connection, MetaData, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from bus.errors import BusError, TransactionControlError
from bus.schema import create_missing, require_all
from bus.sqlite import ForkGate, reading_engine, writing_engine
from bus.tables import bus_outbox
from bus.transaction import (
    SqlAlchemyUnitOfWork,
    joined_unit,
    new_unit,
    no_unit,
)
from bus.unit_of_work import innermost_unit, running_unit_of
from bus.unit_session import UnitSession, follow_connections, follow_sessions


class Database:
    """One module's database. Opens no connection before it is used; thread-safe.

    On SQLite every unit of work holds the file's write lock from its first statement on, so a module has one
    writer at a time; reads go through an engine of their own and wait for nobody.

    Attributes:
        name: The name of the module.
        engine: The SQLAlchemy engine that writes.
        read_engine: The one that cannot.
        writers: Those of this process who wait for the write lock, in turn.
    """

    def __init__(self, name: str, url: str | URL, *, metadata: MetaData | None = None) -> None:
        self.name = name
        self.url = _require_durable(name, url)
        self.metadata = metadata if metadata is not None else MetaData()
        self._gate = ForkGate()
        self.engine, self.writers = writing_engine(self.url, self._gate)
        self.read_engine = reading_engine(self.url, self._gate)
        self._sessions = sessionmaker(self.engine, class_=UnitSession, expire_on_commit=False, close_resets_only=False)
        self._read_sessions = sessionmaker(self.read_engine, expire_on_commit=False)
        follow_sessions(self._sessions)
        follow_connections(self.engine, self._running_unit)

    @property
    def session(self) -> Session:
        """The session of the unit of work that is running here.

        Raises:
            NoTransactionError: None of this database is running, or the innermost one is another module's.
        """
        unit = innermost_unit()
        if isinstance(unit, SqlAlchemyUnitOfWork) and unit.owner is self:
            return unit.session
        raise no_unit(self.name)

    @property
    def connection(self) -> Connection:
        """The connection of the unit of work that is running here, for SQLAlchemy Core.

        What the session still holds back is not written before a statement, as the session would do.

        Raises:
            NoTransactionError: As `session`.
        """
        return self.session.connection()

    def transaction(self) -> AbstractContextManager[SqlAlchemyUnitOfWork]:
        """Return a block that runs in a unit of work: the one that is running on this database, or a new one.

        A new one commits at the end of the block and rolls back when an exception leaves it. The unit belongs
        to this thread and context; units of other databases never mix with it.
        """
        unit = self._running_unit()
        if unit is not None:
            return joined_unit(unit)
        session = self._sessions()
        session.unit = SqlAlchemyUnitOfWork(self, self.name, session)
        return new_unit(session.unit)

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

    def create_tables(self) -> bool:
        """Create the module's tables and the bus's in an empty database; return whether it did.

        Safe when several processes start at once: one creates them.

        Raises:
            SchemaError: The tables that are there are not those that this code works with.
        """
        return create_missing(self.name, self.engine, self.metadata)

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
        require_all(self.name, self.read_engine, self.metadata)

    def answers(self) -> bool:
        """Say whether the database can be read and has the bus's tables."""
        try:
            with self.read() as session:
                session.execute(select(bus_outbox.c.target).limit(1))
        except SQLAlchemyError:
            return False
        return True

    def takes_writes(self) -> bool:
        """Say whether a transaction that writes can begin."""
        try:
            with self.write():
                return True
        except SQLAlchemyError:
            return False

    def close(self) -> None:
        """Close every idle connection; the next use opens new ones."""
        self.engine.dispose()
        self.read_engine.dispose()

    def before_fork(self) -> None:
        """Let other threads finish what they ask the database, and close idle connections: a child inherits none."""
        if self._running_unit() is None:
            self._gate.pause()
        self.close()

    def after_fork_in_parent(self) -> None:
        """Let other threads go on."""
        self._gate.resume()

    def after_fork_in_child(self) -> None:
        """Drop the pools without closing what is in them: the parent uses it still."""
        self.writers.renew()
        self._gate.renew()
        self.engine.dispose(close=False)
        self.read_engine.dispose(close=False)

    def _running_unit(self) -> SqlAlchemyUnitOfWork | None:
        unit = running_unit_of(self)
        return unit if isinstance(unit, SqlAlchemyUnitOfWork) else None


def _require_durable(name: str, url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BusError(f"the database URL of {name!r} cannot be read; such as sqlite:///instance/{name}.db") from error
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise BusError(f"the database of {name!r} is {parsed.drivername}://…; this release works with sqlite:///FILE")
    if not parsed.database or ":memory:" in parsed.database or parsed.query.get("mode") == "memory":
        raise BusError(
            f"the database of {name!r} is held in memory: it would lose every event with the process, and each "
            f"thread would see another one; name a file, such as sqlite:///instance/{name}.db"
        )
    return parsed
