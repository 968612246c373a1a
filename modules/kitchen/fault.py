"""A fault on purpose: part of the demonstration, so that one can watch what the bus does about a failing listener."""

from __future__ import annotations

import threading

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bus import RetryAfter
from bus.integrations.http import back_to_page

#: How often the next order fails, and the seconds until it is tried again: long enough for a person to see it.
TIMES, PAUSE = 3, 2.0


class OvenIsCold(RetryAfter):
    """Raised in place of opening a ticket while the fault is switched on; counts as a failure like any other."""

    def __init__(self, failure: int) -> None:
        super().__init__(PAUSE, counts=True)
        self.args = (f"the oven is cold, failure {failure} of {TIMES}",)


class Fault:
    """Lets the next order fail a few times, and no other; kept in this process's memory, so a restart ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._order_id: str | None = None

    @property
    def left(self) -> int:
        """How many failures are still to come."""
        return self._left

    def switch_on(self) -> None:
        """Have the next order fail, whichever comes first; unless one does already."""
        with self._lock:
            if not self._left:
                self._left, self._order_id = TIMES, None

    def strike(self, order_id: str) -> None:
        """Fail if it is this order's turn.

        Raises:
            OvenIsCold: The fault is switched on, and for this order.
        """
        with self._lock:
            if not self._left or self._order_id not in (None, order_id):
                return
            self._order_id = order_id
            self._left -= 1
            raise OvenIsCold(TIMES - self._left)


class FaultTrial:
    """The button that switches the fault on, and how many failures are to come."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def render(self) -> Markup:
        """Return it as HTML."""
        return Markup(render_template("kitchen/fault.html", left=self._fault.left, times=TIMES))

    def begin(self) -> ResponseReturnValue:
        """Switch the fault on, and lead back to the page."""
        self._fault.switch_on()
        return back_to_page()


def add_trial(forms: Blueprint, trial: FaultTrial) -> Blueprint:
    """Add the route of the button to the panel's forms."""
    forms.add_url_rule("/fault", view_func=trial.begin, methods=["POST"])
    return forms
