"""SQLite set up so that no write is lost: the engines behind `Database` for `sqlite://` URLs."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

#: Seconds that a writer waits for another process's transaction before "database is locked".
BUSY_TIMEOUT = 30.0

#: Seconds that a fork waits for a write transaction of another thread to end.
PAUSE_TIMEOUT = 5.0

#: Connections kept open, and how many more may be opened under load; each belongs to one thread at a time.
POOL_SIZE, POOL_OVERFLOW = 10, 90


def writing_engine(url: URL) -> tuple[Engine, WriterQueue]:
    """Return an engine, with the queue before its write lock, whose every transaction begins with the write lock.

    The driver's own BEGIN is switched off and `BEGIN IMMEDIATE` issued instead: a transaction that reads first
    and writes later would otherwise overwrite what was committed in between. Threads of this process queue
    for the write lock here, in order; SQLite's own waiting polls with growing pauses.
    """
    engine = _engine(url)
    queue = WriterQueue()
    event.listen(engine, "connect", _set_up_writer)
    event.listen(engine, "begin", queue.enter)
    event.listen(engine, "checkin", queue.leave)
    event.listen(engine, "invalidate", lambda connection, record, _error: queue.leave(connection, record))
    return engine, queue


def reading_engine(url: URL) -> Engine:
    """Return an engine that refuses to write, and whose transactions see one snapshot and wait for no writer."""
    engine = _engine(url)
    event.listen(engine, "connect", _set_up_reader)
    event.listen(engine, "begin", _begin_deferred)
    return engine


class WriterQueue:
    """Lets one connection of this process at a time ask SQLite for the write lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

        self._is_paused = False

    def pause(self) -> None:
        """Wait until no write transaction is open, and let none begin: SQLite's locks do not survive a fork.

        What takes longer than a few seconds is not waited for: the child would find its database locked.
        """
        self._is_paused = self._lock.acquire(timeout=PAUSE_TIMEOUT)

    def resume(self) -> None:
        """Let writers in again."""
        if self._is_paused:
            self._is_paused = False
            self._lock.release()

    def renew(self) -> None:
        """Forget who holds it: in a forked child those threads do not exist."""
        self._lock = threading.Lock()
        self._is_paused = False

    def enter(self, connection: Connection) -> None:
        """Wait for the turn, then begin with the write lock."""
        # After the timeout SQLite is asked all the same, and says itself that the database is locked.
        connection.info["holds_writer_queue"] = self._lock.acquire(timeout=BUSY_TIMEOUT)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def leave(self, _connection: Any, record: ConnectionPoolEntry | None) -> None:
        """Let the next one in when the connection is back in its pool."""
        if record is not None and record.info.pop("holds_writer_queue", False):
            self._lock.release()


class _ClosingPool(QueuePool):
    """A pool that closes what comes back to it after it was disposed of.

    SQLAlchemy leaves such connections to the garbage collector: a listener that outlives the grace period of a
    stop would leave its file open for as long.
    """

    _is_disposed = False

    def dispose(self) -> None:
        """Close the idle connections, and each of the others when it comes back."""
        self._is_disposed = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        if self._is_disposed:
            super().dispose()


def _engine(url: URL) -> Engine:
    # Parameters stay out of error messages: they are the users' data.
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=_ClosingPool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "reset", _end_transaction)
    return engine


def _end_transaction(_connection: Any, record: ConnectionPoolEntry, _state: object) -> None:
    """Roll back what a COMMIT has left open that failed: SQLite keeps the transaction, SQLAlchemy thinks it over."""
    connection = record.dbapi_connection
    if isinstance(connection, sqlite3.Connection) and connection.in_transaction:
        connection.rollback()


def _set_up_writer(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file over; SQLite does not wait by itself for another process that does the same."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _set_up_reader(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA query_only = ON")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
