"""The reference application behind a page of the documentation: its customers and its mishaps, without a thread."""

from __future__ import annotations

import random
from collections.abc import Mapping

from flask import Flask
from sqlalchemy import text

from bus import Database, SystemClock, operations_of
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.hosting import Surroundings, host
from bus.inbox.retention import RETENTION
from bus.inbox.solitude import Solitude
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from modular_app.app import Parts
from modules.order.model import Customer, OrderLine


class Counter:
    """Does what the comments of a page say has happened between two commands."""

    def __init__(self, app: Flask) -> None:
        parts: Parts = app.extensions["modular-app"]
        self._bus, self._containers = parts.bus, parts.containers
        self._databases: Mapping[str, Database] = parts.databases
        around = Surroundings(parts.bus, Solitude(), random.Random(0), RETENTION)
        self._inboxes = {name: host(name, found, around).inbox for name, found in parts.databases.items()}

    def happen(self, what: str) -> None:
        """Have something happen, and every module hear of it."""
        {
            "a customer orders": self._order,
            "somebody writes a price by hand": self._spoil,
            "the kitchen cooks": self._cook,
            "twenty runs have failed": self._give_up,
            "the price is mended": self._mend,
            "time passes": lambda: None,
            "garbage arrives": self._receive_garbage,
        }[what]()
        self._settle()

    def _order(self) -> None:
        orders = self._containers["order"].customer_orders()
        orders.place("demo", [OrderLine("margherita", 2)], Customer("Ada", None))

    def _spoil(self) -> None:
        self._execute("order", "UPDATE orders SET total = '23.80'")

    def _mend(self) -> None:
        self._execute("order", "UPDATE orders SET total = '23.80 EUR'")

    def _cook(self) -> None:
        with self._databases["kitchen"].read() as session:
            ticket_id = session.scalar(text("SELECT ticket_id FROM tickets"))
        self._containers["kitchen"].stove().start(ticket_id)

    def _give_up(self) -> None:
        # The failures between the first and the last would take two hours.
        self._execute("order", "UPDATE bus_inbox SET failures = 19, due_at = 0 WHERE state = 'retrying'")

    def _receive_garbage(self) -> None:
        quarantine = operations_of(self._bus).modules["kitchen"].quarantine
        quarantine.add(b"GET / HTTP/1.1", origin="queue kitchen", problem="it is no JSON at byte 0")

    def _execute(self, module: str, statement: str) -> None:
        with self._databases[module].write() as connection:
            connection.execute(text(statement))

    def _settle(self) -> None:
        """Carry what is owed, and run what is due, until nothing is left."""
        for inbox in self._inboxes.values():
            inbox.pausing.refresh()
        while any([*map(self._carry, self._databases), *map(self._run, self._databases)]):
            pass

    def _carry(self, source: str) -> bool:
        history = SqlAlchemyHistoryStore(self._databases[source], SystemClock())
        owed = [event for event in history.last(1000) if event.owed_to]
        for event in owed:
            for target in event.owed_to:
                self._inboxes[target].receive(event.envelope, 1)
            received = [(target, event.envelope.id) for target in event.owed_to]
            SqlAlchemyOutboxStore(self._databases[source], self._bus.clock).acknowledge(received)
        return bool(owed)

    def _run(self, module: str) -> bool:
        return self._inboxes[module].run_due()
