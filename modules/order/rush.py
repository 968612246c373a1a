"""Everybody at once: for a few seconds somebody orders twenty times a second, so that one sees what that does."""

from __future__ import annotations

import logging
import threading
import time

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus import BusClosed, BusStopped, listener
from bus.integrations.http import back_to_page
from modules.order.model import Customer, OrderLine
from modules.order.services import CustomerOrders

log = logging.getLogger(__name__)

#: Orders a second, and for how many seconds.
PACE, SECONDS = 20, 10
ORDERS = PACE * SECONDS
#: What everybody wants. Order knows no menus: where there is no such dish, all of it is rejected.
RESTAURANT, DISH, WHO = "demo", "espresso", "A guest of the rush"


class Rush:
    """Places a fixed number of orders on a thread of its own, one rush at a time, and ends with the bus."""

    def __init__(self, orders: CustomerOrders) -> None:
        self._orders = orders
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self._placed = 0

    @property
    def placed(self) -> int:
        """The orders of the running rush so far, or of the last one."""
        return self._placed

    def is_running(self) -> bool:
        """Say whether one runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin a rush, unless one runs."""
        with self._lock:
            if self.is_running():
                return
            self._is_over.clear()
            self._placed = 0
            self._thread = threading.Thread(target=self._run, name="order-rush", daemon=True)
            self._thread.start()

    @listener
    def end_when_the_bus_closes(self, _event: BusClosed) -> None:
        """Order no more."""
        self._end()

    @listener
    def end_when_the_bus_stops(self, _event: BusStopped) -> None:
        """Order no more."""
        self._end()

    def _end(self) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        begun = time.monotonic()
        try:
            while self._placed < ORDERS and not self._is_over.wait(begun + self._placed / PACE - time.monotonic()):
                self._orders.place(RESTAURANT, [OrderLine(DISH, 1)], Customer(WHO))
                self._placed += 1
        except Exception:
            # A demonstration ends by itself; whoever looks for the cause finds it here, and the page goes on.
            log.exception("the rush ended after %d orders", self._placed)


class RushTrial:
    """The button that begins a rush, and how far it has come."""

    def __init__(self, rush: Rush) -> None:
        self._rush = rush

    def render(self) -> Markup:
        """Return it as HTML."""
        return Markup(render_template("order/rush.html", rush=self._rush, pace=PACE, seconds=SECONDS, orders=ORDERS))

    def begin(self) -> ResponseReturnValue:
        """Begin, and lead back to the page."""
        self._rush.start()
        return back_to_page()


def add_trial(forms: Blueprint, trial: RushTrial) -> Blueprint:
    """Add the route of the button to the panel's forms."""
    forms.add_url_rule("/rush", view_func=trial.begin, methods=["POST"])
    return forms
