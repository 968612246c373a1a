"""Customers who order from a server over HTTP, all at once, and remember what they were told."""

from __future__ import annotations

import threading
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from itertools import count

from tests.server.server import PATIENCE, Server

#: Customers who order at the same time.
CUSTOMERS = 8


class Customers:
    """Places orders, each for another quantity, until told to stop.

    Attributes:
        answered: The quantity of each order that the server has said to have taken, by its id.
        refused: What went wrong instead of an answer.
        strange: Orders that the server has shown as another one than was placed.
    """

    def __init__(self, server: Server) -> None:
        self.answered: dict[str, int] = {}
        self.refused: list[str] = []
        self.strange: list[str] = []
        self._server = server
        self._quantities = count(1)
        self._changed = threading.Condition()
        self._are_over = False

    @contextmanager
    def ordering(self) -> Iterator[None]:
        """Order for as long as the block runs."""
        self._are_over = False
        threads = [threading.Thread(target=self._order, daemon=True) for _ in range(CUSTOMERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._are_over = True
            for thread in threads:
                thread.join(PATIENCE)

    def wait_for(self, more: int) -> None:
        """Return when so many more orders were answered."""
        with self._changed:
            wanted = len(self.answered) + more
            assert self._changed.wait_for(lambda: len(self.answered) >= wanted, PATIENCE), self.refused[-3:]

    def _order(self) -> None:
        while not self._are_over:
            quantity = next(self._quantities) % 99 + 1
            try:
                order_id = self._place(quantity)
                self._note(order_id, quantity)
                self._look_at(order_id, quantity)
            except (HTTPException, OSError, ValueError) as error:  # URLError is an OSError
                self.refused.append(repr(error))
                if isinstance(error, urllib.error.HTTPError):
                    error.close()
                threading.Event().wait(0.05)

    def _place(self, quantity: int) -> str:
        lines = [{"sku": "margherita", "quantity": quantity}]
        body = {"restaurant_id": "demo", "lines": lines, "customer": {"name": "Ada"}}
        return str(self._server.post("/api/v1/orders", body)["order_id"])

    def _look_at(self, order_id: str, quantity: int) -> None:
        shown = self._server.get(f"/api/v1/orders/{order_id}")
        if (shown["order_id"], shown["lines"][0]["quantity"]) != (order_id, quantity):
            self.strange.append(f"{order_id}, {quantity}: {shown}")

    def _note(self, order_id: str, quantity: int) -> None:
        with self._changed:
            self.answered[order_id] = quantity
            self._changed.notify_all()
