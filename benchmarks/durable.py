"""What does it cost to publish durably, and to deliver, on SQLite and on PostgreSQL?

    python -m benchmarks.durable [--database sqlite|postgresql] [--server URL]

End to end: events published one a transaction, each with one ORM row, to one module listener that writes one
ORM row, until all effects are there; beside the same two transactions written by hand, with no bus.
Publish alone: beside committing the same row without any event, and beside the same transaction with the
event's and the outbox's rows written by hand with Core.
On PostgreSQL beside procrastinate, pgqueuer and dbos too, see benchmarks/beside_peers.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.beside_peers import ahead_of_peers
from benchmarks.databases import SERVER, Server, fresh_files
from benchmarks.order_and_kitchen import NOTE, Application, Order, Ticket, engine_by_hand
from benchmarks.rounds import medians, verdict
from bus.tables import bus_event, bus_outbox

#: Events in one round, and rounds that count.
EVENTS, ROUNDS = 500, 9

#: What publishing keeps at least of the rate at which the row alone is committed.
BESIDE_ROW = {"sqlite": 0.6, "postgresql": 0.55}


def end_to_end(app: Application) -> float:
    """Publish and wait until every effect is there."""
    app.bus.start()
    app.bus.drain()

    def run() -> None:
        place_all(app)
        app.wait_for(EVENTS)

    return rate(run)


def publish_alone(app: Application) -> float:
    """Publish while the runtime stands: nothing else takes the processor."""
    return rate(lambda: place_all(app))


def place_all(app: Application) -> None:
    for _ in range(EVENTS):
        app.place()


def pair_by_hand(app: Application) -> float:
    """The same two transactions, one after the other, with plain SQLAlchemy."""
    with engine_by_hand(app.order) as order, engine_by_hand(app.kitchen) as kitchen:

        def run() -> None:
            for _ in range(EVENTS):
                order_id = str(uuid.uuid4())
                with Session(order) as session, session.begin():
                    session.add(Order(id=order_id, note=NOTE))
                with Session(kitchen) as session, session.begin():
                    session.add(Ticket(id=order_id, note=NOTE))

        return rate(run)


def row_alone(app: Application) -> float:
    """The first of the two transactions: a row and no event."""
    with engine_by_hand(app.order) as order:

        def run() -> None:
            for _ in range(EVENTS):
                with Session(order) as session, session.begin():
                    session.add(Order(id=str(uuid.uuid4()), note=NOTE))

        return rate(run)


def rows_by_hand(app: Application) -> float:
    """The row, and the event's and the outbox's rows written with Core, as a team would write it at home."""
    with engine_by_hand(app.order) as order:

        def run() -> None:
            for _ in range(EVENTS):
                with Session(order) as session, session.begin():
                    order_id, event_id = str(uuid.uuid4()), str(uuid.uuid4())
                    session.add(Order(id=order_id, note=NOTE))
                    session.flush()
                    session.execute(insert(bus_event), event_row(event_id, order_id))
                    session.execute(insert(bus_outbox), outbox_row(event_id))

        return rate(run)


def event_row(event_id: str, order_id: str) -> dict[str, object]:
    return {
        "id": event_id,
        "name": "order.placed",
        "version": 1,
        "key": order_id,
        "time": time.time_ns() // 1000,
        "correlation_id": event_id,
        "payload": json.dumps({"order_id": order_id, "note": NOTE}).encode(),
    }


def outbox_row(event_id: str) -> dict[str, object]:
    return {"target": "kitchen", "event_id": event_id, "due_at": time.time_ns() // 1000, "sends": 0}


def rate(run: Callable[[], object]) -> float:
    """Return events per second."""
    start = time.perf_counter()
    run()
    return EVENTS / (time.perf_counter() - start)


def keeps_bounds(database: str, fresh: Callable[[], AbstractContextManager[str]]) -> bool:
    """Measure on databases that `fresh` gives; print the figures and whether each bound is kept."""

    def on_fresh(measure: Callable[[Application], float]) -> Callable[[], float]:
        def run() -> float:
            with fresh() as url, Application(url) as app:
                return measure(app)

        return run

    measures = (end_to_end, pair_by_hand, publish_alone, row_alone, rows_by_hand)
    found = medians({measure.__name__: on_fresh(measure) for measure in measures}, ROUNDS)
    print("events per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in found.items()))
    alone, bound = found["publish_alone"], BESIDE_ROW[database]
    kept = [
        verdict("end to end / pair by hand", found["end_to_end"] / found["pair_by_hand"], at_least=0.6),
        verdict("publish alone / row alone", alone / found["row_alone"], at_least=bound),
        verdict("publish alone / rows by hand", alone / found["rows_by_hand"], at_least=0.85),
    ]
    return all(kept)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durable")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--server", default=SERVER, help="where databases may be created; default: %(default)s")
    parser.add_argument("--without-peers", action="store_true", help="only the bus and what is written by hand")
    asked = parser.parse_args()
    kept = []
    if asked.database != "postgresql":
        print("SQLite")
        kept.append(keeps_bounds("sqlite", fresh_files))
    if asked.database != "sqlite":
        server = Server(asked.server)
        print(f"PostgreSQL {server.version()}")
        kept.append(keeps_bounds("postgresql", server.fresh_schemas))
        if not asked.without_peers:
            kept.append(ahead_of_peers(server))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
