"""A shop of three tiny modules on real databases: order publishes, kitchen answers, bill only listens."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Engine, MetaData, Row, select, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bus import Clock, Database, Envelope, Module, assemble, event, event_view, module_listener
from bus.hosting import Surroundings, host
from bus.inbox.inbox import Inbox
from bus.inbox.retention import RETENTION
from bus.inbox.solitude import Solitude
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.store import Publication
from bus.inbox.views import Views
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.tables import bus_event, bus_inbox, bus_outbox
from bus.testing import FakeClock
from bus.transport.base import Transport
from tests.durable.sent import told_of_each
from tests.threads import join_bus_threads


class OrderTables(DeclarativeBase):
    metadata = MetaData()


class KitchenTables(DeclarativeBase):
    metadata = MetaData()


class BillTables(DeclarativeBase):
    metadata = MetaData()


class Order(OrderTables):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str]


class Answer(OrderTables):
    """An order that has heard of its ticket; nothing but the bus keeps it from standing here twice."""

    __tablename__ = "answers"
    number: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]


class Ticket(KitchenTables):
    """The effect of one order; nothing but the bus keeps it from standing here twice."""

    __tablename__ = "tickets"
    number: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]


class Invoice(BillTables):
    __tablename__ = "invoices"
    order_id: Mapped[int] = mapped_column(primary_key=True)


@event("order.placed", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: int
    note: str = ""


@event("order.cancelled", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """Nobody listens to it."""

    order_id: int


@event("kitchen.ticket_opened", key="order_id")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    order_id: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class WantedDish:
    order_id: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class OwedSum:
    order_id: int


@event_view("kitchen.ticket_opened")
@dataclass(frozen=True, slots=True)
class OpenedTicket:
    order_id: int


ORDER = Module("order", contract=[OrderPlaced, OrderCancelled, OpenedTicket])
KITCHEN = Module("kitchen", contract=[TicketOpened, WantedDish])
BILL = Module("bill", contract=[OwedSum])

TABLES = {"order": OrderTables.metadata, "kitchen": KitchenTables.metadata, "bill": BillTables.metadata}


#: A folder for files, a URL with `{module}` in it, or a URL for each module.
Where = Path | str | Mapping[str, str]


class Undelayed(random.Random):
    """Randomness at its lower end: a retry is due at once."""

    def randint(self, a: int, b: int) -> int:
        return a


@dataclass
class Failures:
    """What an inbox has announced as failed."""

    errors: list[BaseException] = field(default_factory=list)

    def add(self, _bus: object, *, error: BaseException, **_details: object) -> None:
        self.errors.append(error)


class Shop:
    """The modules assembled in one process, and questions about what their databases hold.

    Attributes:
        standing: Those that are not closed.
    """

    standing: ClassVar[set[Shop]] = set()

    def __init__(
        self,
        where: Where,
        *,
        clock: Clock | None = None,
        transport: str | Transport = "inprocess://",
        modules: Sequence[Module] = (ORDER, KITCHEN),
        hosted: Collection[str] = ("order", "kitchen", "bill"),
        workers: int | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.where = where
        self.databases = {
            module.name: Database(
                module.name, url_of(where, module.name), metadata=TABLES[module.name], workers=workers
            )
            for module in modules
            if module.name in hosted
        }
        for database in self.databases.values():
            database.create_tables()
        self.bus = assemble(modules, self.databases, transport=transport, clock=self.clock, random_source=Undelayed())
        self.order, self.kitchen = self.databases["order"], self.databases["kitchen"]
        self.outboxes = {name: SqlAlchemyOutboxStore(found, self.clock) for name, found in self.databases.items()}
        heard_by_kitchen = partial(self.bus.module_listeners, "kitchen")
        self.inbox_store = SqlAlchemyInboxStore(self.kitchen, self.clock, Views(heard_by_kitchen))
        self.failures = Failures()
        self.bus.signals.listener_failed.connect(self.failures.add)
        self.standing.add(self)

    def close(self) -> None:
        self.standing.discard(self)
        self.bus.stop(grace=5.0)
        if not self.standing:
            # What a stop without grace has left running would write into the next test's tables.
            join_bus_threads(5.0)
        for database in self.databases.values():
            database.close()

    def place(self, *order_ids: int) -> None:
        """Place orders in one transaction."""
        with self.order.transaction() as unit:
            for order_id in order_ids:
                unit.session.add(Order(id=order_id, note="margherita"))
                self.bus.publish(OrderPlaced(order_id))

    def open_ticket(self, order_id: int) -> None:
        """Publish an event of the kitchen, to which the order listens."""
        with self.kitchen.transaction():
            self.bus.publish(TicketOpened(order_id))

    def listen(self, *listeners: Callable[..., None], module: str = "kitchen") -> None:
        for listener in listeners:
            self.bus.module(module).subscribe(listener)

    def open_tickets(self) -> None:
        """Have the kitchen open a ticket for each order."""
        self.listen(self.ticket_listener())

    def ticket_listener(self) -> Callable[[WantedDish], None]:
        @module_listener("kitchen.open_ticket")
        def open_ticket(event: WantedDish) -> None:
            self.kitchen.session.add(Ticket(order_id=event.order_id))

        return open_ticket

    def inbox(self, random_source: random.Random | None = None) -> Inbox:
        """Return the kitchen's inbox, to be driven by hand."""
        around = Surroundings(self.bus, Solitude(), random_source or random.Random(0), RETENTION)
        return host("kitchen", self.kitchen, around).inbox

    def orders(self) -> list[int]:
        return self._numbers(self.order, "SELECT id FROM orders ORDER BY id")

    def tickets(self) -> list[int]:
        """The orders that have a ticket, in the order of the tickets."""
        return self._numbers(self.kitchen, "SELECT order_id FROM tickets ORDER BY number")

    def mark(self, publication: Publication) -> bool:
        """Commit the mark of a run in the kitchen that goes no further."""
        with self.kitchen.engine.connect() as connection:
            return self.inbox_store.mark(connection, publication)

    def answers(self) -> list[int]:
        return self._numbers(self.order, "SELECT order_id FROM answers ORDER BY number")

    def history(self, module: str = "order") -> list[Row[Any]]:
        return self._rows(self.databases[module], select(bus_event).order_by(bus_event.c.position))

    def owed(self, module: str = "order") -> list[Row[Any]]:
        return self._rows(self.databases[module], select(bus_outbox).order_by(bus_outbox.c.event_id))

    def publications(self, module: str = "kitchen") -> list[Row[Any]]:
        return self._rows(self.databases[module], select(bus_inbox).order_by(bus_inbox.c.listener))

    def states(self) -> dict[str, str]:
        """The state of each of the kitchen's listeners."""
        return {row.listener: row.state for row in self.publications()}

    def _rows(self, database: Database, statement: Any) -> list[Row[Any]]:
        with database.read() as session:
            return list(session.execute(statement))

    def _numbers(self, database: Database, statement: str) -> list[int]:
        with database.read() as session:
            return list(session.scalars(text(statement)))


def url_of(where: Where, module: str) -> str:
    """Return the URL of a module's database."""
    if isinstance(where, Mapping):
        return where[module]
    url = str(where) if "://" in str(where) else f"sqlite:///{where}/{{module}}.db"
    return url.format(module=module)


def placed(order_id: int = 1, *, event_id: str | None = None) -> Envelope:
    """Return the envelope of an order, as it reaches the kitchen."""
    id = event_id or f"event-{order_id}"
    return Envelope(
        id=id,
        source="order",
        type="order.placed",
        version=1,
        subject=str(order_id),
        time=FakeClock().microseconds(),
        correlationid=f"story-of-{id}",
        causationid=None,
        traceparent=None,
        data=b'{"order_id":%d,"note":""}' % order_id,
    )


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect what is executed on the engine of a database that writes."""
    with executed(database.engine) as seen:
        yield seen


@contextmanager
def executed(engine: Engine) -> Iterator[list[str]]:
    """Collect what is executed on an engine."""
    seen: list[str] = []

    def collect(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        # PostgreSQL's reading engine is made of the writing one, and what listens to that hears it too.
        if connection.engine is engine:
            seen.append(statement)

    sqlalchemy_event.listen(engine, "before_cursor_execute", collect)
    with told_of_each(engine, seen.append):
        yield seen
    sqlalchemy_event.remove(engine, "before_cursor_execute", collect)


def written_to(seen: Iterable[str]) -> list[str]:
    """Return the tables that statements write to, in their order."""
    return [table for statement in seen for table in re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement)]
