"""Telling what an error of a database means: a conflict that passes, or a database that is away."""

from __future__ import annotations

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class DatabaseTrouble(Enum):
    """What a database met that is no fault of the code that used it."""

    #: Locked, deadlocked, or not serializable: another run at once may succeed.
    CONFLICT = "the database was busy"
    #: It does not answer, or cannot read or write its files.
    AWAY = "the database is away"


#: Primary result codes of SQLite, https://www.sqlite.org/rescode.html: BUSY, LOCKED, PROTOCOL; and PERM, READONLY,
#: IOERR, FULL, CANTOPEN, CORRUPT, NOTADB.
_SQLITE_CONFLICT = {5, 6, 15}
_SQLITE_AWAY = {3, 8, 10, 11, 13, 14, 26}

#: SQLSTATE of PostgreSQL, appendix A of its manual: serialization_failure, deadlock_detected, lock_not_available.
_SQLSTATE_CONFLICT = {"40001", "40P01", "55P03"}
#: Classes 08 (connection), 53 (resources), 57P (operator intervention), 58 (system); read_only_sql_transaction, which a
#: server answers that has become a standby.
_SQLSTATE_AWAY = ("08", "53", "57P", "58", "25006")

#: idle_in_transaction_session_timeout: the connection is gone, but by the doing of the code that asked nothing.
_SQLSTATE_OWN_FAULT = "25P03"


def database_trouble(error: BaseException | None) -> DatabaseTrouble | None:
    """Return what the database met, or None where the error says nothing of the kind."""
    if isinstance(error, PoolTimeoutError):
        return DatabaseTrouble.CONFLICT
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    return _of_postgresql(error, getattr(error.orig, "sqlstate", None))


def reason_of(error: BaseException) -> str:
    """Return what a database says, in one line, without the statement and its parameters: they are users' data."""
    told = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    return " ".join(told.split())


def _of_sqlite(error: sqlite3.Error) -> DatabaseTrouble | None:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in _SQLITE_CONFLICT:
        return DatabaseTrouble.CONFLICT
    return DatabaseTrouble.AWAY if primary in _SQLITE_AWAY else None


def _of_postgresql(error: DBAPIError, state: str | None) -> DatabaseTrouble | None:
    if state in _SQLSTATE_CONFLICT:
        return DatabaseTrouble.CONFLICT
    if state == _SQLSTATE_OWN_FAULT:
        return None
    # A server that cannot be reached has no code to answer with.
    is_unreachable = state is None and isinstance(error, OperationalError)
    is_away = is_unreachable or (state is not None and state.startswith(_SQLSTATE_AWAY))
    return DatabaseTrouble.AWAY if is_away or error.connection_invalidated else None
