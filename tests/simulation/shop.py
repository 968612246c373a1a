"""What the simulated processes run: order and kitchen; listeners are well, fail, exit, swallow errors, and kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from sqlalchemy.exc import IntegrityError

from bus import Database, EventBus, Module, RetryPolicy, event, event_view, module_listener

#: Crashes of a run that is alone after which its publication is given up.
MAX_CRASHES = 2

#: Runs of a troubled listener that go wrong before one is well.
TROUBLED_RUNS = 2

#: What an order does to one of its listeners.
MOODS = ("well", "failing", "exiting", "swallowing", "deadly")

_POLICY = RetryPolicy(max_crashes=MAX_CRASHES, kill_switch=None)


@event("order.placed", key="order_id")
@dataclass(frozen=True, slots=True)
class OrderPlaced:
    order_id: int
    mood: str


@event("kitchen.ticket_opened", key="order_id")
@dataclass(frozen=True, slots=True)
class TicketOpened:
    order_id: int


@event_view("order.placed")
@dataclass(frozen=True, slots=True)
class WantedDish:
    order_id: int
    mood: str


@event_view("kitchen.ticket_opened")
@dataclass(frozen=True, slots=True)
class OpenedTicket:
    order_id: int


ORDER = Module("order", contract=[OrderPlaced, OpenedTicket])
KITCHEN = Module("kitchen", contract=[TicketOpened, WantedDish])
NAMES = (ORDER.name, KITCHEN.name)


def _effects(metadata: MetaData) -> Table:
    """Nothing but the bus keeps an effect from standing there twice."""
    return Table(
        "effects",
        metadata,
        Column("number", Integer, primary_key=True),
        Column("listener", String, nullable=False),
        Column("order_id", Integer, nullable=False),
    )


TABLES = {name: MetaData() for name in NAMES}
EFFECTS = {name: _effects(metadata) for name, metadata in TABLES.items()}
ORDERS = Table("orders", TABLES["order"], Column("id", Integer, primary_key=True))


class Listeners:
    """The listeners of one process.

    Args:
        databases: Those of its modules.
        bus: Where they publish.
        runs: The runs of troubled listeners so far, by order; shared by all processes.
        die: Ends the process, and does not return.
    """

    def __init__(
        self, databases: dict[str, Database], bus: EventBus, runs: Counter[int], die: Callable[[], None]
    ) -> None:
        self._databases = databases
        self._bus = bus
        self._runs = runs
        self._die = die
        bus.module("kitchen").subscribe(self.open_ticket)
        bus.module("kitchen").subscribe(self.cook)
        bus.module("order").subscribe(self.hear_of_ticket)

    @module_listener("kitchen.open_ticket", retry=_POLICY)
    def open_ticket(self, event: WantedDish) -> None:
        self._write("kitchen", "kitchen.open_ticket", event.order_id)
        self._bus.publish(TicketOpened(event.order_id))

    @module_listener("kitchen.cook", retry=_POLICY)
    def cook(self, event: WantedDish) -> None:
        self._runs[event.order_id] += 1
        if event.mood == "deadly":
            self._die()
        is_troubled = self._runs[event.order_id] <= TROUBLED_RUNS
        if event.mood == "exiting" and is_troubled:
            raise SystemExit
        if event.mood == "swallowing" and is_troubled:
            with suppress(IntegrityError):
                self._write("kitchen", "kitchen.cook", None)
            return
        self._write("kitchen", "kitchen.cook", event.order_id)
        if event.mood == "failing" and is_troubled:
            raise ValueError("no dough")

    @module_listener("order.hear_of_ticket", retry=_POLICY)
    def hear_of_ticket(self, event: OpenedTicket) -> None:
        self._write("order", "order.hear_of_ticket", event.order_id)

    def _write(self, module: str, listener: str, order_id: int | None) -> None:
        self._databases[module].session.execute(insert(EFFECTS[module]).values(listener=listener, order_id=order_id))
