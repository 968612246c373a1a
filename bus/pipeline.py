"""Statements of the bus that go to PostgreSQL together: one round trip, past the cursors of SQLAlchemy and psycopg.

Needs psycopg, so it is imported only where a database is on PostgreSQL.
Source: libpq's pipeline mode, https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from psycopg import Connection as Driver
from psycopg import DataError, Error, IsolationLevel, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection

from bus.prepared import Answer, Request

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

log = logging.getLogger("bus.statements")

#: SQLSTATE division_by_zero: how a statement says in the server that it has not hit the one row that it has to.
_HIT_NOT_ONE = "22012"

#: What begins a transaction as the driver would begin it, by its isolation level.
_BEGINNINGS: dict[IsolationLevel | None, bytes] = {
    None: b"BEGIN",
    **{level: f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode() for level in IsolationLevel},
}

#: The answers of a statement that was not executed to its end.
_FAILURES = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)


def in_one_round_trip(connection: Connection, requests: Sequence[Request], *, commit: bool = False) -> list[Answer]:
    """Execute statements in the connection's transaction, begin that where it has not begun, and commit it if asked to.

    The server stops at the first that fails: what stands behind it is not executed, a COMMIT neither.

    Raises:
        Exception: What `otherwise` of the first that failed has made.
        DBAPIError: It failed for another reason, or the connection broke; as SQLAlchemy raises it, with its events.
    """
    driver: Any = connection.connection.dbapi_connection
    try:
        if log.isEnabledFor(logging.DEBUG):
            for request in requests:
                log.debug("%s", request.text.decode(), extra={"engine": connection.engine})
        return _Exchange(driver, requests, commit=commit).answers()
    except Error as error:
        # What SQLAlchemy does with any error of its driver: it tells its listeners, invalidates what broke, and wraps.
        told = b"; ".join([request.text for request in requests]).decode()
        connection._handle_dbapi_exception(error, told, None, None, None)


class _Kept(NamedTuple):
    """A statement that the server keeps, as the driver files it: by its text and the types of its values."""

    key: tuple[bytes, tuple[int, ...]]
    name: bytes


class _Exchange:
    """The messages of one round trip, in order, and what their answers mean."""

    def __init__(self, driver: Driver[Any], requests: Sequence[Request], *, commit: bool) -> None:
        self._driver = driver
        self._wire: PGconn = driver.pgconn
        self._encoding = driver.info.encoding
        #: What the server keeps of this connection, as the driver has it: it lets all go after a rollback, or a DROP.
        self._kept = driver._prepared._names
        #: Each with its values as they are written: what cannot be written is refused before anything is sent.
        self._requests = [(request, *_written(request.values, self._encoding)) for request in requests]
        self._commit = commit
        #: What each answer is about that is to come: a request, a statement that is to be kept, or nothing more.
        self._awaited: list[Request | _Kept | None] = []

    def answers(self) -> list[Answer]:
        found: list[Answer] = []
        for awaited, result in zip(self._awaited, self._driver.wait(self._messages()), strict=True):
            if result.status in _FAILURES:
                self._fail(awaited, result)
            if isinstance(awaited, Request):
                found.append(_answer(result))
            elif awaited is not None:
                # It is kept, whatever becomes of the transaction.
                self._kept[awaited.key] = awaited.name
        return found

    def _messages(self) -> Generator[Wait, Ready | int, list[PGresult]]:
        """Send everything, and return the answers; a connection that is left in the middle is of no use any more."""
        is_whole = False
        self._wire.enter_pipeline_mode()
        try:
            self._send()
            found = yield from _received(self._wire)
            self._wire.exit_pipeline_mode()
            is_whole = True
            return found
        finally:
            if not is_whole:
                self._wire.finish()

    def _send(self) -> None:
        if self._wire.transaction_status == TransactionStatus.IDLE:
            self._plain(_BEGINNINGS[self._driver.isolation_level])
        for request, values, formats in self._requests:
            self._send_one(request, values, formats)
        if self._commit:
            self._plain(b"COMMIT")
        self._wire.pipeline_sync()

    def _send_one(self, request: Request, values: list[bytes | None], formats: list[int]) -> None:
        if self._driver.prepare_threshold is None:
            # Whoever connects through a pooler says so: the next statement may reach a server that knows no names.
            self._wire.send_query_params(request.text, values, param_formats=formats)
        else:
            self._keep(_Kept((request.text, ()), request.name))
            self._wire.send_query_prepared(request.name, values, param_formats=formats)
        self._awaited.append(request)

    def _keep(self, statement: _Kept) -> None:
        """Have the server keep a statement, unless it does, or has just been told to."""
        if statement.key in self._kept:
            self._kept.move_to_end(statement.key)
        elif statement not in self._awaited:
            self._wire.send_prepare(statement.name, statement.key[0])
            self._awaited.append(statement)

    def _plain(self, command: bytes) -> None:
        self._wire.send_query_params(command, None)
        self._awaited.append(None)

    def _fail(self, awaited: Request | _Kept | None, result: PGresult) -> NoReturn:
        if self._driver.closed and not result.error_message:
            raise OperationalError("the connection is lost")
        error = error_from_result(result, self._encoding)
        if self._driver.closed and error.sqlstate is None:
            raise OperationalError(str(error))
        if isinstance(awaited, Request) and awaited.otherwise is not None and error.sqlstate == _HIT_NOT_ONE:
            raise awaited.otherwise() from error
        raise error


def _received(wire: PGconn) -> Generator[Wait, Ready | int, list[PGresult]]:
    """Return the answers up to the end of the pipeline."""
    while wire.flush():
        if (yield Wait.RW) & Ready.R:
            wire.consume_input()
    found: list[PGresult] = []
    is_between = False
    while True:
        while wire.is_busy():
            yield Wait.R
            wire.consume_input()
        result = wire.get_result()
        if result is None:
            # One such parts two answers; after a second one nothing more comes.
            if is_between:
                raise OperationalError(wire.get_error_message() or "the connection is lost")
            is_between = True
            continue
        is_between = False
        if result.status == ExecStatus.PIPELINE_SYNC:
            return found
        found.append(result)


def _written(values: Sequence[object], encoding: str) -> tuple[list[bytes | None], list[int]]:
    """Return values as they go to the server, and the format of each: 1 for bytes, 0 for what is written as text."""
    written: list[bytes | None] = []
    formats = [0] * len(values)
    for place, value in enumerate(values):
        if isinstance(value, str):
            if "\0" in value:
                raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
            written.append(value.encode(encoding))
        elif value is None:
            written.append(None)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            written.append(bytes(value))
            formats[place] = 1
        elif isinstance(value, int):
            written.append(b"%d" % value)
        else:
            raise TypeError(f"a statement of the bus has a value of type {type(value).__name__}")
    return written, formats


def _answer(result: PGresult) -> Answer:
    row = [result.get_value(0, column) for column in range(result.nfields)] if result.ntuples else None
    return Answer(result.command_tuples or 0, row)
