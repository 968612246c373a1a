"""Raw Dramatiq: the order is committed, and then its message sent; a crash in between loses the event.

As its documentation has it: `confirm_delivery` of RabbitmqBroker, without which what was sent may be lost, and the
middleware that it comes with, without which nothing is tried again. An idle Redis is asked as often as by the bus.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial

from dramatiq import Actor, Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

from benchmarks.cluster.job import Effects, Job, engine_of, given_job, note_of, produce, write_order, write_ticket
from benchmarks.cluster.tables import create_rows

#: Milliseconds between two looks into an idle queue on Redis, as `flask bus worker` has them.
LOOK = 20


def prepare(job: Job) -> None:
    """Create the tables of both rows."""
    create_rows(job)


def publish() -> None:
    job = given_job()
    engine, note, actor = engine_of(job), note_of(job), actor_of(job, _no_listener)

    def publish_one(order_id: str) -> float:
        with engine.begin() as connection:
            write_order(connection, order_id)
        committed = time.monotonic()
        actor.send(order_id, note)
        return committed

    produce(publish_one)


def work() -> None:
    run_dramatiq(given_job(), f"{__name__}:broker")


def run_dramatiq(job: Job, broker: str) -> None:
    """Have Dramatiq's command take the place of this process."""
    settings = {"dramatiq_worker_timeout": str(LOOK), "dramatiq_queue_prefetch": str(job.threads)}
    options = ["--threads", str(job.threads), "--processes", str(job.processes)]
    os.execve(sys.executable, [sys.executable, "-m", "dramatiq", broker, *options], {**os.environ, **settings})


def actor_of(job: Job, listener: Callable[..., None]) -> Actor[..., None]:
    """Return the actor, on a broker that both processes make alike."""
    on_rabbitmq, on_redis = partial(RabbitmqBroker, confirm_delivery=True), RedisBroker
    broker = (on_redis if job.is_on_redis else on_rabbitmq)(url=job.broker)
    return Actor(listener, broker=broker, actor_name="open_ticket", queue_name=job.queue, priority=0, options={})


def _no_listener(order_id: str, note: str) -> None: ...


def _open_ticket() -> Callable[[str, str], None]:
    job = given_job()
    engine, effects = engine_of(job), Effects(job)

    def open_ticket(order_id: str, note: str) -> None:
        time.sleep(job.waits / 1000)
        with engine.begin() as connection:
            write_ticket(connection, order_id)
        effects.tell(order_id)

    return open_ticket


def __getattr__(name: str) -> Broker:
    """Make the broker when Dramatiq's command asks for it, and not before."""
    if name == "broker":
        return actor_of(given_job(), _open_ticket()).broker
    raise AttributeError(name)
