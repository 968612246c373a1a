"""PostgreSQL set up so that no write is lost: the engines behind `Database` for `postgresql+psycopg://` URLs."""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from bus.errors import BusError, MissingExtraError
from bus.pool import ClosingPool, Engines, ForkGate

DRIVER = "postgresql+psycopg"

#: The oldest libpq whose pipelines carry the bus's statements.
LIBPQ = 14

#: Threads that run one module's listeners, unless an application says otherwise: rows are locked, not the database.
WORKERS = 4

#: Connections kept open for each module beside those of its workers: its relay, and somebody who reads.
POOL_RESERVE = 2

#: How many more may be opened under load, such as for requests.
POOL_OVERFLOW = 10

#: Seconds that a new connection, and one from a full pool, is waited for.
CONNECT_TIMEOUT, POOL_TIMEOUT = 10, 30

#: Seconds that the question whether a database answers waits for a connection, and for the answer on it.
PROBE_TIMEOUT = 3

#: Seconds after which the server ends a transaction that asks nothing: a stopped process must not hold rows for ever.
IDLE_IN_TRANSACTION = 300

#: Seconds of silence after which a peer is asked whether it lives, seconds between such questions, and their number.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

#: Seconds for which the server is asked to leave a statement, and for which its rolling back is waited for.
CANCEL_TIMEOUT, ROLLBACK_TIMEOUT = 1.0, 0.3

#: A part of the URL that is ours, not the driver's: the schema that holds the module's tables.
SCHEMA = "schema"


def postgresql_engines(name: str, url: URL, workers: int) -> Engines:
    """Return the engines of a module's database or schema, which share one pool; opens nothing.

    Raises:
        BusError: The URL names another driver, or no database.
        MissingExtraError: psycopg is not installed.
    """
    _require_usable(name, url)
    gate = ForkGate()
    # Parameters stay out of error messages: they are the users' data.
    engine = create_engine(
        url.difference_update_query([SCHEMA]).update_query_dict({"options": _options(url)}),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        poolclass=ClosingPool,
        # `_end_transaction` sees to it, and asks the server only where there is something to roll back.
        pool_reset_on_return=None,
        pool_size=workers + POOL_RESERVE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT,
        connect_args=_connect_args(name, url),
    )
    engine.pool.gate = gate  # type: ignore[attr-defined]  # the pool is of the class given above
    event.listen(engine, "checkout", _refuse_closed)
    event.listen(engine, "reset", _end_transaction)
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(engine, reading, _probing_engine(name, url), gate)


def pool_text(workers: int) -> str:
    """Return how many connections one process has to one module's database, in words."""
    kept = workers + POOL_RESERVE
    return f"{kept} connections, {kept + POOL_OVERFLOW} at most"


def schema_of(url: URL) -> str | None:
    """Return the schema that a URL names, or None where the server's own search path counts."""
    found = url.query.get(SCHEMA)
    return found if isinstance(found, str) and found else None


def cut_off(connection: Any) -> None:
    """Break a connection that another thread uses; the server has rolled back what it did, unless that takes long."""
    if connection.closed:
        return
    # A server that is busy with a statement looks only after it whether anybody is there.
    connection.cancel_safe(timeout=CANCEL_TIMEOUT)
    with socket.socket(fileno=os.dup(connection.fileno())) as wire, suppress(OSError):
        # It hears that nobody is there, rolls back, lets go what it holds, and only then hangs up.
        wire.shutdown(socket.SHUT_WR)
        hanging_up = select.poll()
        hanging_up.register(wire, 0)
        hanging_up.poll(1000 * ROLLBACK_TIMEOUT)
        wire.shutdown(socket.SHUT_RDWR)


def _probing_engine(name: str, url: URL) -> Engine:
    """Return an engine that connects anew for each question: where the server stands still, a pool waits for it."""
    options = f"{_options(url)} -c statement_timeout={PROBE_TIMEOUT * 1000}"
    return create_engine(
        url.difference_update_query([SCHEMA]).update_query_dict({"options": options}),
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args=_connect_args(name, url) | {"connect_timeout": PROBE_TIMEOUT},
    )


def _require_usable(name: str, url: URL) -> None:
    if url.drivername != DRIVER:
        raise BusError(
            f"the database of {name!r} is {url.drivername}://…; for PostgreSQL write {DRIVER}://USER@HOST/DATABASE"
        )
    if not url.database:
        raise BusError(f"the URL of {name!r} names no database; write {DRIVER}://USER@HOST/DATABASE")
    if find_spec("psycopg") is None:
        raise MissingExtraError(
            f"the database of {name!r} is on PostgreSQL, and psycopg is not installed; "
            "pip install 'modular-bus[postgresql]'"
        )
    _require_pipelines(name)


def _require_pipelines(name: str) -> None:
    from psycopg import pq

    if pq.version() < LIBPQ * 10_000:
        raise BusError(
            f"the database of {name!r} needs libpq {LIBPQ} or newer, and psycopg has found {pq.version() // 10_000}; "
            "pip install 'psycopg[binary]', which brings its own"
        )


def _connect_args(name: str, url: URL) -> dict[str, object]:
    ours = {
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": f"modular-bus {name}",
        "keepalives": 1,
        **KEEPALIVES,
    }
    return {key: value for key, value in ours.items() if key not in url.query}


def _options(url: URL) -> str:
    """Return what a session begins with, in the connection's first message; what the URL says comes last, and wins."""
    ours = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION * 1000}"
    schema = schema_of(url)
    if schema is not None:
        quoted = '"' + schema.replace('"', '""') + '"'
        ours += " -c search_path=" + quoted.replace("\\", "\\\\").replace(" ", "\\ ")
    given = url.query.get("options", "")
    return " ".join([ours, *([given] if isinstance(given, str) else given)]).strip()


def _end_transaction(connection: Any, _record: ConnectionPoolEntry, _state: object) -> None:
    """Roll back what is open, also where SQLAlchemy thinks it over: after a COMMIT that failed before it was sent.

    Raises:
        psycopg.OperationalError: The connection is broken; the pool replaces it.
    """
    if connection.pgconn.transaction_status:
        connection.rollback()


def _refuse_closed(connection: Any, _record: ConnectionPoolEntry, _proxy: object) -> None:
    """Have a connection that the server has closed replaced, with all others of the pool; costs no round trip."""
    wire = select.poll()
    wire.register(connection.fileno(), select.POLLIN)
    # A server that has nothing to answer says only that it goes.
    if wire.poll(0):
        raise InvalidatePoolError("the server has closed the connection")
