"""SQLite set up so that no write is lost: the engines behind `Database` for `sqlite://` URLs."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from bus.errors import BusError
from bus.pool import ClosingPool, Engines, ForkGate

#: Seconds that a writer waits for another process's transaction before "database is locked".
BUSY_TIMEOUT = 30.0

#: Connections kept open, and how many more may be opened under load; each belongs to one thread at a time.
POOL_SIZE, POOL_OVERFLOW = 10, 90


def sqlite_engines(name: str, url: URL) -> Engines:
    """Return the engines of a module's file; opens nothing.

    Raises:
        BusError: The URL names another driver, or no file.
    """
    _require_durable(name, url)
    gate = ForkGate()
    writing, writers = _writing_engine(url, gate)
    reading = _reading_engine(url, gate)
    return Engines(writing, reading, reading, gate, writers)


def _require_durable(name: str, url: URL) -> None:
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise BusError(f"the database of {name!r} is {url.drivername}://…; for SQLite write sqlite:///FILE")
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise BusError(
            f"the database of {name!r} is held in memory: it would lose every event with the process, and each "
            f"thread would see another one; name a file, such as sqlite:///instance/{name}.db"
        )


def _writing_engine(url: URL, gate: ForkGate) -> tuple[Engine, WriterQueue]:
    """Return an engine, with the queue before its write lock, whose every transaction begins with the write lock.

    The driver's own BEGIN is switched off and `BEGIN IMMEDIATE` issued instead: a transaction that reads first
    and writes later would otherwise overwrite what was committed in between. Threads of this process queue
    for the write lock here, in order; SQLite's own waiting polls with growing pauses.
    """
    engine = _engine(url, gate)
    queue = WriterQueue()
    event.listen(engine, "connect", _set_up_writer)
    event.listen(engine, "begin", queue.enter)
    event.listen(engine, "checkin", queue.leave)
    event.listen(engine, "invalidate", lambda connection, record, _error: queue.leave(connection, record))
    return engine, queue


def _reading_engine(url: URL, gate: ForkGate) -> Engine:
    """Return an engine that refuses to write, and whose transactions see one snapshot and wait for no writer."""
    engine = _engine(url, gate)
    event.listen(engine, "connect", _set_up_reader)
    event.listen(engine, "begin", _begin_deferred)
    return engine


class WriterQueue:
    """Lets one connection of this process at a time ask SQLite for the write lock, in the order of their coming.

    A plain lock would go to whoever runs when it is released: a worker that writes again and again would keep it from
    those who wait, and requests would starve.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forget who holds it: in a forked child those threads do not exist."""
        self._lock = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    def enter(self, connection: Connection) -> None:
        """Wait for the turn, then begin with the write lock."""
        # After the timeout SQLite is asked all the same, and says itself that the database is locked.
        connection.info["holds_writer_queue"] = connection.info.get("holds_writer_queue") or self._take_turn()
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def leave(self, _connection: Any, record: ConnectionPoolEntry | None) -> None:
        """Let the next one in when the connection is back in its pool."""
        if record is not None and record.info.pop("holds_writer_queue", False):
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set()
                else:
                    self._is_held = False

    def _take_turn(self) -> bool:
        with self._lock:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(BUSY_TIMEOUT):
            return True
        with self._lock:
            if not turn.is_set():
                self._waiting.remove(turn)
            return turn.is_set()


def _engine(url: URL, gate: ForkGate) -> Engine:
    # Parameters stay out of error messages: they are the users' data.
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=ClosingPool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
    )
    engine.pool.gate = gate  # type: ignore[attr-defined]  # the pool is of the class given above
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
