"""All three modules without a thread: what they publish lies there as letters, and is delivered by hand.

A letter is handed to the listeners past the inbox, which would let only the first delivery through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from flask import Flask
from sqlalchemy import select

from bus import Envelope
from bus.serialization import PayloadReader
from modular_app.app import Parts
from modules.kitchen.model import TicketConflictError
from modules.kitchen.services import TicketNotFoundError
from modules.order.model import Customer, OrderLine
from modules.order.status import OrderConflictError
from modules.restaurant.model import DishDetails, Money, Reservation, ReservationState

REFUSALS = (OrderConflictError, TicketConflictError, TicketNotFoundError)


@dataclass(frozen=True, slots=True)
class Letter:
    """An event on its way to one module."""

    target: str
    envelope: Envelope = field(repr=False)
    name: str
    order_id: str


class Letters:
    """An application whose bus was never started, and its post."""

    def __init__(self, app: Flask) -> None:
        parts: Parts = app.extensions["modular-app"]
        self.bus, self.databases = parts.bus, parts.databases
        self.order, self.restaurant, self.kitchen = (parts.containers[n] for n in ("order", "restaurant", "kitchen"))
        self.waiting: list[Letter] = []
        self.delivered: list[Letter] = []
        self.bus.signals.published.connect(self._post)

    def _post(self, _sender: object, envelope: Envelope) -> None:
        targets = self.bus.subscribers_of(envelope.type)
        self.waiting += [Letter(target, envelope, envelope.type, str(envelope.subject)) for target in targets]

    def deliver(self, letter: Letter) -> None:
        """Run the listeners of a letter, each in a transaction, whether or not they had it before."""
        for listener in self.bus.module_listeners(letter.target, letter.name):
            view = PayloadReader(letter.name, listener.types[0]).read(letter.envelope.data)
            with self.databases[letter.target].transaction():
                listener.call(view)
        if letter in self.waiting:
            self.waiting.remove(letter)
            self.delivered.append(letter)

    def place(self, sku: str, quantity: int) -> str:
        placed = self.order.customer_orders().place("demo", [OrderLine(sku, quantity)], Customer("Ada"))
        return str(placed.order_id)

    def cancel(self, order_id: str) -> bool:
        return _is_done(lambda: self.order.customer_orders().cancel(order_id))

    def collect(self, order_id: str) -> bool:
        return _is_done(lambda: self.order.customer_orders().collect(order_id))

    def start(self, order_id: str) -> bool:
        return _is_done(lambda: self.kitchen.stove().start(self._ticket_id(order_id)))

    def finish(self, order_id: str) -> bool:
        return _is_done(lambda: self.kitchen.stove().finish(self._ticket_id(order_id)))

    def set_open(self, is_open: bool) -> None:
        self.restaurant.menus().set_open("demo", is_open=is_open)

    def set_stock(self, sku: str, stock: int) -> None:
        self.restaurant.menus().put_dish("demo", sku, DishDetails(sku, Money(Decimal(5), "EUR"), stock))

    def resize(self, max_open_tickets: int) -> None:
        self.kitchen.room().resize(max_open_tickets)

    def orders(self) -> dict[str, tuple[str, str | None, list[str]]]:
        """Return status, reason and history of each order, as customers see them."""
        shown = self.order.reader().newest(1000)
        return {one["order_id"]: (one["status"], one["reason"], [s["status"] for s in one["history"]]) for one in shown}

    def tickets(self) -> dict[str, str]:
        """Return the status of each order's ticket, as cooks see it."""
        shown = self.kitchen.reader().oldest(1000)
        statuses = {str(ticket["order_id"]): str(ticket["status"]) for ticket in shown}
        assert len(statuses) == len(shown)
        return statuses

    def stock(self, *skus: str) -> dict[str, int]:
        """Return what is left of dishes, as anybody sees it."""
        return {
            dish["sku"]: dish["stock"] for dish in self.restaurant.reader().menu("demo", 100) if dish["sku"] in skus
        }

    def held(self) -> dict[str, dict[str, int]]:
        """Return the dishes that each order holds, from the restaurant's own tables."""
        with self.databases["restaurant"].read() as session:
            return {
                one.order_id: {line.sku: line.quantity for line in one.lines}
                for one in session.scalars(select(Reservation))
                if one.state is ReservationState.ACCEPTED
            }

    def _ticket_id(self, order_id: str) -> str:
        shown = self.kitchen.reader().oldest(1000)
        return next((str(one["ticket_id"]) for one in shown if one["order_id"] == order_id), "none")


def _is_done(command: Callable[[], object]) -> bool:
    try:
        command()
    except REFUSALS:
        return False
    return True
