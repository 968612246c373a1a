"""The present moment inside a statement of a store: whose clock it is told by is decided here, and nowhere else."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, bindparam, literal_column

from bus.clock import Clock, SystemClock
from bus.database import Database

#: Asked once for each statement, as a subquery of its own: only so does an index serve a comparison with it.
_BY_THE_SERVER: ColumnElement[int] = literal_column(
    "(SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint))", BigInteger
)


def present(database: Database, clock: Clock) -> ColumnElement[int]:
    """Return the present moment as a store's statements take it, as whole microseconds since the epoch.

    On PostgreSQL the server tells it, so that processes whose clocks differ agree on what is due. SQLite's processes
    share one machine and its clock. A clock that is not the machine's own, such as a test's, counts everywhere.
    """
    if database.is_postgresql and isinstance(clock, SystemClock):
        return _BY_THE_SERVER
    return bindparam("present", callable_=clock.microseconds, type_=BigInteger)
