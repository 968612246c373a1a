"""An outbox written by hand, as a team would write it at home on raw Dramatiq.

The order and the message are written in one transaction; a thread reads what is there, with SKIP LOCKED so that every
process may have one, sends it, and deletes it. The listener's transaction writes the message's id into an inbox first,
and does nothing where that is there already.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from dramatiq import Actor, Broker
from sqlalchemy import Engine, bindparam, text

from benchmarks.cluster.job import Effects, Job, engine_of, given_job, note_of, produce, write_order, write_ticket
from benchmarks.cluster.sides.raw import actor_of, run_dramatiq
from benchmarks.cluster.tables import create_rows

#: Messages that the thread takes at once, and seconds after which it looks though nobody has woken it.
BATCH, LOOK = 100, 1.0

WRITE = text("INSERT INTO outbox (id, order_id, note) VALUES (:id, :order_id, :note)")
READ = text(f"SELECT id, order_id, note FROM outbox ORDER BY position LIMIT {BATCH} FOR UPDATE SKIP LOCKED")
DELETE = text("DELETE FROM outbox WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
TAKE_IN = text("INSERT INTO inbox (id) VALUES (:id) ON CONFLICT DO NOTHING")


def prepare(job: Job) -> None:
    """Create the tables."""
    create_rows(
        job,
        "CREATE TABLE outbox (position bigserial PRIMARY KEY, id text UNIQUE, order_id text, note text)",
        "CREATE TABLE inbox (id text PRIMARY KEY)",
    )


def publish() -> None:
    job = given_job()
    engine, note, woken = engine_of(job), note_of(job), threading.Event()
    threading.Thread(target=_relay, args=(engine, actor_of(job, _no_listener), woken), daemon=True).start()

    def publish_one(order_id: str) -> float:
        with engine.begin() as connection:
            write_order(connection, order_id)
            connection.execute(WRITE, {"id": str(uuid.uuid4()), "order_id": order_id, "note": note})
        woken.set()
        return time.monotonic()

    produce(publish_one)


def work() -> None:
    run_dramatiq(given_job(), f"{__name__}:broker")


def _relay(engine: Engine, actor: Actor[..., None], woken: threading.Event) -> None:
    while True:
        woken.wait(LOOK)
        woken.clear()
        while _send_some(engine, actor):
            pass


def _send_some(engine: Engine, actor: Actor[..., None]) -> bool:
    with engine.begin() as connection:
        found = connection.execute(READ).all()
        for message_id, order_id, note in found:
            actor.send(message_id, order_id, note)
        if found:
            connection.execute(DELETE, {"ids": [row.id for row in found]})
    return bool(found)


def _no_listener(message_id: str, order_id: str, note: str) -> None: ...


def _open_ticket() -> Callable[[str, str, str], None]:
    job = given_job()
    engine, effects = engine_of(job), Effects(job)

    def open_ticket(message_id: str, order_id: str, note: str) -> None:
        with engine.begin() as connection:
            if connection.execute(TAKE_IN, {"id": message_id}).rowcount:
                time.sleep(job.waits / 1000)
                write_ticket(connection, order_id)
        effects.tell(order_id)

    return open_ticket


def __getattr__(name: str) -> Broker:
    """Make the broker when Dramatiq's command asks for it, and not before."""
    if name == "broker":
        return actor_of(given_job(), _open_ticket()).broker
    raise AttributeError(name)
