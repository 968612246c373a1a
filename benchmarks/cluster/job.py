"""What the processes of one side do alike. It runs in Celery's environment too: it imports no more than is there.

The process that publishes hears on its standard input what to do, and says on its standard output when it did it, as
lines of JSON. Every process that works writes a line for each effect, right after its commit, into one pipe that has a
name. The clock is the machine's, the same for all of them.
"""

from __future__ import annotations

import base64
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, create_engine, text

#: Seconds before each event on an idle system; at random, so that every moment between two polls is met.
PAUSE = (0.05, 0.25)

#: What an event says beside its key where nothing more is asked for, and bytes that the rest of a payload takes.
NOTE, ROOM = "a note", 128

#: The environment variable in which a process finds its job.
VARIABLE = "CLUSTER_JOB"

#: Milliseconds between two looks into an idle queue on Redis, as `flask bus worker` has them.
LOOK = 20


@dataclass(frozen=True, slots=True)
class Job:
    """What the processes of a side are asked for.

    Attributes:
        side: Whose they are, by the name of its file.
        database: The database, which has the tables of both rows.
        broker: The broker, which nobody else uses.
        queue: What the names of queues begin with.
        pipe: Where effects are told.
        threads: Threads that each process works with; it has as many messages in hand.
        processes: Processes that work.
        payload: KiB that an event carries; none for next to nothing.
        waits: Milliseconds that a listener waits before it writes.
    """

    side: str
    database: str
    broker: str
    queue: str
    pipe: str
    threads: int
    processes: int
    payload: int
    waits: int

    @property
    def is_on_redis(self) -> bool:
        """Whether the broker is Redis."""
        return self.broker.startswith("redis")

    def written(self) -> str:
        """Return it as it stands in the environment."""
        return json.dumps(asdict(self))


def given_job() -> Job:
    """Return the job of this process."""
    return Job(**json.loads(os.environ[VARIABLE]))


def engine_of(job: Job) -> Engine:
    """Return an engine with a connection for each thread, whose statements are those of the other sides."""
    return create_engine(job.database, pool_size=job.threads + 1)


def write_order(connection: Connection, order_id: str) -> None:
    """Write the row of an order."""
    connection.execute(_ORDER, {"id": order_id})


def write_ticket(connection: Connection, order_id: str) -> None:
    """Write the row of a ticket."""
    connection.execute(_TICKET, {"id": order_id})


_ORDER = text(f"INSERT INTO orders (id, note) VALUES (:id, '{NOTE}')")
_TICKET = text(f"INSERT INTO tickets (id, note) VALUES (:id, '{NOTE}')")


class Effects:
    """Tells effects; thread-safe, and good in a process that is forked later."""

    def __init__(self, job: Job) -> None:
        self._pipe = os.open(job.pipe, os.O_WRONLY)

    def tell(self, order_id: str) -> None:
        # So short a line is written as a whole, or not at all.
        os.write(self._pipe, f"{os.getpid()} {order_id} {time.monotonic()}\n".encode())


def note_of(job: Job) -> str:
    """Return what an event carries beside its key; it cannot be compressed much."""
    if not job.payload:
        return NOTE
    size = 1024 * job.payload - ROOM
    return base64.b64encode(os.urandom(size)).decode()[:size]


def produce(publish: Callable[[str], float]) -> None:
    """Publish what is asked for, `burst COUNT` or `single`; `publish` returns when its transaction was committed."""
    _say(ready=True)
    for line in sys.stdin:
        match line.split():
            case ["burst", count]:
                order_ids = [str(uuid.uuid4()) for _ in range(int(count))]
                began = time.monotonic()
                for order_id in order_ids:
                    publish(order_id)
                _say(began=began, ended=time.monotonic())
            case ["single"]:
                time.sleep(random.uniform(*PAUSE))
                _say(committed=publish(str(uuid.uuid4())))


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)
