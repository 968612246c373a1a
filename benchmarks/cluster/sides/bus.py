"""The bus: `publish` in the transaction of the row, `flask bus worker` with a listener."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask

from benchmarks.cluster.job import Effects, Job, given_job, note_of, produce, write_order, write_ticket
from benchmarks.order_and_kitchen import MODULES, OrderPlaced, PlacedOrder
from bus import Database, EventBus, assemble, module_listener
from bus.assembly import make_transport
from bus.integrations.flask import BusExtension


def prepare(job: Job) -> None:
    """Create the tables; those of the rows are the modules' own."""
    for database in _databases(job, [module.name for module in MODULES]).values():
        database.create_tables()
        database.close()


def publish() -> None:
    job = given_job()
    databases = _databases(job, ["order"])
    bus, order, note = _bus(job, databases), databases["order"], note_of(job)
    bus.start()

    def publish_one(order_id: str) -> float:
        with order.transaction():
            write_order(order.connection, order_id)
            bus.publish(OrderPlaced(order_id, note))
        return time.monotonic()

    produce(publish_one)
    bus.stop()


def work() -> None:
    job = given_job()
    options = ["--threads", str(job.threads), "--processes", str(job.processes)]
    command = [sys.executable, "-m", "flask", "--app", f"{__name__}:create_app", "bus", "worker", *options]
    os.execv(sys.executable, command)


def create_app() -> Flask:
    """Return the application that the worker runs."""
    job = given_job()
    databases = _databases(job, os.environ.get("FLASK_MODULES", "order,kitchen").split(","))
    bus, kitchen, effects = _bus(job, databases), databases["kitchen"], Effects(job)

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: PlacedOrder) -> None:
        time.sleep(job.waits / 1000)
        write_ticket(kitchen.connection, event.order_id)

    def tell(_bus: object, **details: Any) -> None:
        effects.tell(str(details["envelope"].subject))

    bus.module("kitchen").subscribe(open_ticket)
    bus.signals.listener_completed.connect(tell, weak=False)
    app = Flask(__name__)
    BusExtension(bus, app)
    return app


def _databases(job: Job, names: Iterable[str]) -> dict[str, Database]:
    tables = {module.name: module.tables for module in MODULES}
    return {
        name: Database(name, f"{job.database}?schema={name}", metadata=tables[name], workers=job.threads)
        for name in names
    }


def _bus(job: Job, databases: dict[str, Database]) -> EventBus:
    return assemble(MODULES, databases, transport=make_transport(f"dramatiq+{job.broker}", job.queue))
