"""pgqueuer: the job is enqueued on the connection, and so in the transaction, of the row.

Its documentation: "Performance Tuning" for the size of a batch, which is varied, 25 there, for the autovacuum settings
and for a connection of its own for the queue manager; "Benchmarks" for asyncpg as the fastest driver, on uvloop as its
own benchmark runs. Durability stays "durable", its default: the others lose jobs in a crash. The row and the job's end
are two transactions.
"""

from __future__ import annotations

import asyncio
import json

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.peers.protocol import NOTE, Effects, Task, produce, say

CONNECTIONS = 10


def publish(task: Task) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        connection = runner.run(asyncpg.connect(task.url))
        queries = Queries(AsyncpgDriver(connection))

        async def publish_one(order_id: str) -> None:
            async with connection.transaction():
                await connection.execute("INSERT INTO orders (id, note) VALUES ($1, $2)", order_id, NOTE)
                await queries.enqueue("open_ticket", json.dumps({"order_id": order_id, "note": NOTE}).encode())

        produce(task, lambda order_id: runner.run(publish_one(order_id)))


def work(task: Task) -> None:
    uvloop.run(_work(task))


async def _work(task: Task) -> None:
    effects = Effects(task)
    connection = await asyncpg.connect(task.url)
    pool = await asyncpg.create_pool(task.url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    await queries.optimize_autovacuum()
    manager = PgQueuer.from_asyncpg_connection(connection)

    @manager.entrypoint("open_ticket")
    async def open_ticket(job: Job) -> None:
        payload = json.loads(job.payload)
        await pool.execute("INSERT INTO tickets (id, note) VALUES ($1, $2)", payload["order_id"], payload["note"])
        effects.note(payload["order_id"])

    say(ready=True)
    await manager.run(batch_size=task.setting)
