"""procrastinate: the job is deferred on the connection, and so in the transaction, of the row.

Its documentation: "Using an external database connection" for the producer; "Execute multiple jobs at the same time"
for asynchronous tasks and their concurrency, which is varied, 30 there; "Mind the size of your PostgreSQL pool" for a
pool as large as that, the jobs being short. LISTEN/NOTIFY is on, as it is by default. The row and the job's end are two
transactions.
"""

from __future__ import annotations

import asyncio

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from psycopg_pool import AsyncConnectionPool

from benchmarks.peers.protocol import NOTE, Effects, Task, produce, say


def publish(task: Task) -> None:
    app = App(connector=SyncPsycopgConnector(conninfo=task.url))
    with app.open(), psycopg.connect(task.url) as connection:

        def publish_one(order_id: str) -> None:
            connection.execute("INSERT INTO orders (id, note) VALUES (%s, %s)", (order_id, NOTE))
            app.configure_task("open_ticket", connection=connection).defer(order_id=order_id, note=NOTE)
            connection.commit()

        produce(task, publish_one)


def work(task: Task) -> None:
    asyncio.run(_work(task))


async def _work(task: Task) -> None:
    effects, concurrency = Effects(task), task.setting
    app = App(connector=PsycopgConnector(conninfo=task.url, min_size=concurrency + 1, max_size=concurrency + 1))
    pool = AsyncConnectionPool(task.url, min_size=concurrency, max_size=concurrency, open=False)

    @app.task(name="open_ticket")
    async def open_ticket(order_id: str, note: str) -> None:
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO tickets (id, note) VALUES (%s, %s)", (order_id, note))
        effects.note(order_id)

    async with app.open_async(), pool:
        await app.schema_manager.apply_schema_async()
        say(ready=True)
        await app.run_worker_async(concurrency=concurrency)
