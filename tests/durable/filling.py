"""Many rows at once: what a module owes, and what it has completed, as the bus would have written it."""

from __future__ import annotations

from sqlalchemy import text

from bus import Database

_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT CAST(:first AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last) "
)
_ID = "'event-' || substr(CAST(1000000000 + n AS text), 2)"

_EVENTS = f"""
INSERT INTO bus_event (id, name, version, key, time, correlation_id, payload)
{_NUMBERS} SELECT {_ID}, 'order.placed', 1, CAST(n AS text), CAST(:now AS bigint), 'fill', CAST(:payload AS {{blob}})
FROM numbers
"""
_OWED = f"""
INSERT INTO bus_outbox (target, event_id, due_at, sends)
{_NUMBERS} SELECT CAST(:target AS text), {_ID}, CAST(:now AS bigint), 0 FROM numbers
"""
_COMPLETED = f"""
INSERT INTO bus_inbox (listener, event_id, state, starts, failures, crashes, due_at, took)
{_NUMBERS} SELECT CAST(:listener AS text), {_ID}, 'completed', 1, 0, 0, CAST(:now AS bigint), 1000 FROM numbers
"""


def owe(database: Database, count: int, *, target: str = "kitchen", now: int = 0, first: int = 1) -> None:
    """Have a module owe so many orders from the first on, each due since `now`."""
    publish(database, count, now=now, first=first)
    with database.write() as connection:
        connection.execute(text(_OWED), {**_range(count, first), "target": target, "now": now})


def publish(database: Database, count: int, *, now: int = 0, first: int = 1) -> None:
    """Have so many orders in a module's history."""
    blob = "bytea" if database.is_postgresql else "blob"
    values = {**_range(count, first), "now": now, "payload": b'{"order_id":1,"note":""}'}
    with database.write() as connection:
        connection.execute(text(_EVENTS.format(blob=blob)), values)


def complete(database: Database, count: int, *, listener: str, now: int = 0) -> None:
    """Have a module's listener have completed so many orders at `now`."""
    with database.write() as connection:
        connection.execute(text(_COMPLETED), {**_range(count, 1), "listener": listener, "now": now})


def _range(count: int, first: int) -> dict[str, int]:
    return {"first": first, "last": first + count - 1}
