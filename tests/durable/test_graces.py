"""What still runs when the grace of its process is over is rolled back first, and then made by another one."""

from __future__ import annotations

import logging
import threading
from contextlib import closing

import pytest

from bus import SystemClock, module_listener
from tests.durable.shop import Shop, Ticket, WantedDish


@pytest.mark.usefixtures("late_rollback")
def test_run_that_outlives_the_grace_is_rolled_back_before_its_event_is_due_for_others(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bus")
    began, may_end = threading.Event(), threading.Event()

    def work(shop: Shop) -> None:
        @module_listener("kitchen.bake")
        def bake(event: WantedDish) -> None:
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            shop.kitchen.session.flush()
            if not began.is_set():
                began.set()
                may_end.wait(30)

        shop.listen(bake)

    ending, other = Shop(postgresql_url, clock=SystemClock()), Shop(postgresql_url, clock=SystemClock())
    with closing(other), closing(ending):
        work(ending)
        work(other)
        ending.bus.start()
        ending.place(1)
        assert began.wait(10)
        # It asks all the time whether anything is due.
        helping = threading.Thread(target=other.bus.drain, args=(30.0,))
        helping.start()

        ending.bus.stop(grace=0.1)
        helping.join(30)
        may_end.set()

        assert other.tickets() == [1]
    assert "runs elsewhere, and stays with its publisher" not in caplog.text
