"""What goes wrong in these tests, and how."""

from __future__ import annotations

from collections.abc import Callable

from bus import (
    module_listener,
)
from bus.failpoint import FailpointError
from tests.durable.shop import Shop, Ticket, WantedDish


class Killed(BaseException):
    """Leaves a run as a crash does: nothing is recorded after it."""


def failing_listener(shop: Shop, *, failures: int) -> Callable[[WantedDish], None]:
    """Return a listener that opens a ticket, and fails after that the first few times."""
    left = list(range(failures))

    @module_listener("kitchen.fail")
    def fail(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.kitchen.session.flush()
        if left:
            left.pop()
            raise ValueError("no dough")

    return fail


def kill() -> None:
    raise Killed


def refuse() -> None:
    raise FailpointError("the database is away")
