"""The story as app.md tells it, in dictionaries: what the application has to come to, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WAY = ["placed", "accepted", "preparing", "ready", "completed"]
STOPPABLE = ("placed", "accepted")


@dataclass
class PlainOrder:
    """What the three modules make of one order. `reservation`: unknown, held, none. `ticket`: unknown or as shown."""

    sku: str
    quantity: int
    history: list[str] = field(default_factory=lambda: ["placed"])
    reason: str | None = None
    agreed: set[str] = field(default_factory=set)
    reservation: str = "unknown"
    ticket: str = "unknown"

    @property
    def status(self) -> str:
        return self.history[-1]

    def advance(self, status: str) -> None:
        if self.status in WAY and WAY.index(status) > WAY.index(self.status):
            self.history.append(status)

    def agree(self, who: str) -> None:
        self.agreed.add(who)
        if len(self.agreed) == 2:
            self.advance("accepted")

    def reject(self, reason: str) -> None:
        if self.status in STOPPABLE:
            self.history.append("rejected")
            self.reason = reason


class PlainCounter:
    """Orders, stock and tickets."""

    def __init__(self, stock: Mapping[str, int], capacity: int) -> None:
        self.orders: dict[str, PlainOrder] = {}
        self.stock = dict(stock)
        self.is_open = True
        self.capacity = capacity

    def add(self, order_id: str, sku: str, quantity: int) -> None:
        self.orders[order_id] = PlainOrder(sku, quantity)

    def cancel(self, order_id: str) -> bool:
        return self._move(order_id, STOPPABLE, "cancelled")

    def collect(self, order_id: str) -> bool:
        return self._move(order_id, ("ready",), "completed")

    def start(self, order_id: str) -> bool:
        return self._work(order_id, "open", "cooking")

    def finish(self, order_id: str) -> bool:
        return self._work(order_id, "cooking", "done")

    def hear(self, target: str, name: str, order_id: str, reason: str | None) -> None:
        """React to an event as the module has to."""
        order = self.orders[order_id]
        match target, name:
            case "restaurant", "order.placed":
                self._serve(order)
            case "restaurant", _:
                self._release(order)
            case "kitchen", "restaurant.order_accepted":
                self._open_ticket(order)
            case "kitchen", _:
                order.ticket = {"unknown": "out", "open": "void", "cooking": "void"}.get(order.ticket, order.ticket)
            case "order", "restaurant.order_accepted" | "kitchen.ticket_opened":
                order.agree(name)
            case "order", "kitchen.preparation_started":
                order.advance("preparing")
            case "order", "kitchen.order_ready":
                order.advance("ready")
            case _:
                order.reject(str(reason))

    def tickets(self) -> dict[str, str]:
        return {id: one.ticket for id, one in self.orders.items() if one.ticket not in ("unknown", "out")}

    def held(self, sku: str) -> int:
        return sum(one.quantity for one in self.orders.values() if (one.sku, one.reservation) == (sku, "held"))

    def _move(self, order_id: str, allowed: tuple[str, ...], status: str) -> bool:
        order = self.orders[order_id]
        if order.status not in allowed:
            return False
        order.history.append(status)
        return True

    def _work(self, order_id: str, before: str, after: str) -> bool:
        if self.orders[order_id].ticket != before:
            return False
        self.orders[order_id].ticket = after
        return True

    def _serve(self, order: PlainOrder) -> None:
        if order.reservation != "unknown":
            return
        is_served = self.is_open and self.stock[order.sku] >= order.quantity
        order.reservation = "held" if is_served else "none"
        self.stock[order.sku] -= order.quantity if is_served else 0

    def _release(self, order: PlainOrder) -> None:
        self.stock[order.sku] += order.quantity if order.reservation == "held" else 0
        order.reservation = "none"

    def _open_ticket(self, order: PlainOrder) -> None:
        if order.ticket == "unknown":
            working = [one for one in self.orders.values() if one.ticket in ("open", "cooking")]
            order.ticket = "open" if len(working) < self.capacity else "out"
