"""dbos: the workflow is enqueued by `dbos.enqueue_workflow` in the transaction of the row.

Its documentation: "Transactionally Enqueuing a Workflow" (Python examples, outbox) for the producer; "Transactions &
Datasources" for the listener, whose row and whose record of the step are one transaction, at READ COMMITTED as the
others are; "Queues" for the interval at which the queue is asked, which is varied, in milliseconds, as queues are not
woken by LISTEN/NOTIFY.
"""

from __future__ import annotations

import json
import threading

import psycopg
from dbos import DBOS, SQLAlchemyDatasource
from sqlalchemy import text

from benchmarks.peers.protocol import NOTE, Effects, Task, produce, say

ENQUEUE = """
SELECT dbos.enqueue_workflow(
    workflow_name => 'open_ticket', queue_name => 'tickets', positional_args => ARRAY[%s::json, %s::json]
)
"""


def publish(task: Task) -> None:
    with psycopg.connect(task.url) as connection:

        def publish_one(order_id: str) -> None:
            connection.execute("INSERT INTO orders (id, note) VALUES (%s, %s)", (order_id, NOTE))
            connection.execute(ENQUEUE, (json.dumps(order_id), json.dumps(NOTE)))
            connection.commit()

        produce(task, publish_one)


def work(task: Task) -> None:
    effects = Effects(task)
    url = task.url.replace("postgresql://", "postgresql+psycopg://", 1)
    DBOS(config={"name": "tickets", "system_database_url": url, "executor_id": "worker", "log_level": "ERROR"})
    datasource = SQLAlchemyDatasource.create(url)

    @datasource.transaction(isolation_level="READ COMMITTED")
    def write_ticket(order_id: str, note: str) -> None:
        row = {"id": order_id, "note": note}
        datasource.sql_session().execute(text("INSERT INTO tickets (id, note) VALUES (:id, :note)"), row)

    @DBOS.workflow(name="open_ticket")
    def open_ticket(order_id: str, note: str) -> None:
        write_ticket(order_id, note)
        effects.note(order_id)

    DBOS.launch()
    DBOS.register_queue("tickets", polling_interval_sec=task.setting / 1000)
    say(ready=True)
    threading.Event().wait()
