"""Celery: the order is committed, and then its task sent; a crash in between loses the event.

As its documentation has it: `acks_late` and a prefetch multiplier of 1 ("Optimizing": reserve one task at a time), as
many threads as the others have (`--pool threads`), results ignored, no events, no gossip and no mingling; on RabbitMQ
with `confirm_publish`, as the others wait for the broker too.
"""

from __future__ import annotations

import os
import sys
import time

from celery import Celery
from sqlalchemy import Engine

from benchmarks.cluster.job import Effects, Job, engine_of, given_job, note_of, produce, write_order, write_ticket

#: What Celery's command has to leave out to be as busy with tasks as it can.
QUIETLY = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR")


def publish() -> None:
    job = given_job()
    engine, note, app = engine_of(job), note_of(job), celery_of(job)

    def publish_one(order_id: str) -> float:
        with engine.begin() as connection:
            write_order(connection, order_id)
        committed = time.monotonic()
        app.send_task("open_ticket", (order_id, note))
        return committed

    produce(publish_one)


def work() -> None:
    job = given_job()
    command = [sys.executable, "-m", "celery", "--app", f"{__name__}:app", "worker", "--pool", "threads"]
    os.execv(sys.executable, [*command, "--concurrency", str(job.threads), "--queues", job.queue, *QUIETLY])


def celery_of(job: Job) -> Celery:
    """Return the application, which both processes make alike."""
    app = Celery("tickets", broker=job.broker.replace("amqp://", "pyamqp://", 1))
    app.conf.update(
        task_default_queue=job.queue,
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={} if job.is_on_redis else {"confirm_publish": True},
    )
    return app


def _working() -> Celery:
    job = given_job()
    app, engine, effects = celery_of(job), engine_of(job), Effects(job)

    @app.task(name="open_ticket")
    def open_ticket(order_id: str, note: str) -> None:
        _write(engine, job, order_id)
        effects.tell(order_id)

    return app


def _write(engine: Engine, job: Job, order_id: str) -> None:
    time.sleep(job.waits / 1000)
    with engine.begin() as connection:
        write_ticket(connection, order_id)


def __getattr__(name: str) -> Celery:
    """Make the application when Celery's command asks for it, and not before."""
    if name == "app":
        return _working()
    raise AttributeError(name)
