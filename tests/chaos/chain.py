"""Three modules: an order is heard by the kitchen and by billing, and the kitchen publishes on to billing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.exc import SQLAlchemyError

from bus import (
    Clock,
    Database,
    EventBus,
    Module,
    RetryPolicy,
    assemble,
    current_delivery,
    event,
    event_view,
    module_listener,
)
from bus.transport.base import Transport


@event("order.placed", key="number")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    number: int


@event("kitchen.ticket_opened", key="number")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    number: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class WantedDish:
    number: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class OwedSum:
    number: int


@event_view("kitchen.ticket_opened")
@dataclass(frozen=True, slots=True)
class OpenedTicket:
    number: int


MODULES = (
    Module("order", contract=[OrderPlaced]),
    Module("kitchen", contract=[TicketOpened, WantedDish]),
    Module("bill", contract=[OwedSum, OpenedTicket]),
)

TABLES = {module.name: MetaData() for module in MODULES}


def _adding_to(module: str, name: str) -> str:
    """Return what adds to a table in which nothing but the bus keeps a number from standing twice."""
    Table(name, TABLES[module], Column("id", Integer, primary_key=True), Column("number", Integer, nullable=False))
    return f"INSERT INTO {name} (number) VALUES "


_ORDERS = _adding_to("order", "orders")
_TICKETS = _adding_to("kitchen", "tickets")
_INVOICES = _adding_to("bill", "invoices")
_NOTES = _adding_to("bill", "notes")

#: Every so many orders fail in each listener at the first attempt.
FAILING = 100

#: A failed run is tried again soon, so that retries are under way whenever a process is killed.
POLICY = RetryPolicy(first_delay=0.5)

#: The block in which a listener runs.
Around = Callable[[], AbstractContextManager[None]]


class NoDoughError(Exception):
    """Raised by a listener on purpose."""


def databases(url: str, *, workers: int | None = None) -> dict[str, Database]:
    """Return the database of each module, of a URL with `{module}` in it."""
    return {
        name: Database(
            name, url.replace("{module}", name), metadata=tables, workers=None if "sqlite" in url else workers
        )
        for name, tables in TABLES.items()
    }


class Chain:
    """The modules assembled in one process."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        workers: int | None = None,
        around: Around = nullcontext,
        transport: Transport | str = "inprocess://",
        hosted: Collection[str] = TABLES.keys(),
    ) -> None:
        every = databases(url, workers=workers)
        self.databases = {name: every[name] for name in hosted}
        self.bus: EventBus = assemble(MODULES, self.databases, transport=transport, clock=clock)
        for module, listener in self._listeners(around):
            if module in hosted:
                self.bus.module(module).subscribe(listener)

    def close(self) -> None:
        """End what runs, and close every connection."""
        self.bus.stop()
        for database in self.databases.values():
            database.close()

    def owed(self) -> int:
        """Return how many events are owed by all processes, as far as the databases answer."""
        count = 0
        for database in self.databases.values():
            with suppress(SQLAlchemyError), database.read() as session:
                count += session.scalar(text("SELECT count(*) FROM bus_outbox")) or 0
        return count

    def place(self, numbers: list[int]) -> None:
        """Write orders into the running unit of work of their module, and publish each."""
        self._add("order", _ORDERS, *numbers)
        for number in numbers:
            self.bus.publish(OrderPlaced(number))

    def _listeners(self, around: Around) -> list[tuple[str, Callable[..., None]]]:
        @module_listener("kitchen.open_ticket", retry=POLICY)
        def open_ticket(event: WantedDish) -> None:
            with around():
                self._add("kitchen", _TICKETS, event.number)
                self.bus.publish(TicketOpened(event.number))
                _fail_at_first(event.number)

        @module_listener("bill.write_invoice", retry=POLICY)
        def write_invoice(event: OwedSum) -> None:
            with around():
                self._add("bill", _INVOICES, event.number)
                _fail_at_first(event.number + 1)

        @module_listener("bill.note_ticket", retry=POLICY)
        def note_ticket(event: OpenedTicket) -> None:
            with around():
                self._add("bill", _NOTES, event.number)
                _fail_at_first(event.number + 2)

        return [("kitchen", open_ticket), ("bill", write_invoice), ("bill", note_ticket)]

    def _add(self, module: str, adding: str, *numbers: int) -> None:
        # In the driver's words: the bus is what this run is about.
        database = self.databases[module]
        rows = ", ".join(["(%s)" if database.is_postgresql else "(?)"] * len(numbers))
        database.connection.exec_driver_sql(adding + rows, tuple(numbers))


def _fail_at_first(number: int) -> None:
    delivery = current_delivery()
    if number % FAILING == 0 and delivery is not None and delivery.attempt == 1:
        raise NoDoughError("no dough")
