"""The kitchen of the shop, alone behind a broker: its orders as messages, and what its database holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bus import Database, Envelope, EventBus, SystemClock, assemble
from bus.tables import bus_inbox
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.durable.shop import KITCHEN, ORDER, TABLES, Ticket, WantedDish, placed

#: Makes a listener that writes into the kitchen.
Listening = Callable[[Database], Callable[[WantedDish], None]]


def kitchen_at(url: str) -> Database:
    """Return its database."""
    return Database("kitchen", url.format(module="kitchen"), metadata=TABLES["kitchen"])


@contextmanager
def working(url: str, broker_url: str, application: str, *listenings: Listening) -> Iterator[EventBus]:
    """Work for the kitchen, with two threads and these listeners."""
    with closing(kitchen_at(url)) as database:
        database.create_tables()
        transport = DramatiqTransport(broker_url, application=application, threads=2)
        bus = assemble([ORDER, KITCHEN], {"kitchen": database}, transport=transport, clock=SystemClock())
        for listening in listenings:
            bus.module("kitchen").subscribe(listening(database))
        bus.start()
        try:
            yield bus
        finally:
            bus.stop(grace=5.0)


def tickets(url: str) -> list[int]:
    """Return the order of each ticket, sorted."""
    with reading(url) as session:
        return sorted(session.scalars(select(Ticket.order_id)))


def publications(url: str) -> dict[str, Row[Any]]:
    """Return what became of each event, by its id."""
    with reading(url) as session:
        return {row.event_id: row for row in session.execute(select(bus_inbox))}


def ordered(order_id: int) -> Envelope:
    """Return the envelope of an order that was placed now."""
    return replace(placed(order_id), time=SystemClock().microseconds())


@contextmanager
def reading(url: str) -> Iterator[Session]:
    with closing(kitchen_at(url)) as kitchen, kitchen.read() as session:
        yield session
