"""What still runs when the grace of its worker is over is rolled back there first, and then made by another one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from bus import Database, module_listener
from bus.testing.contracts.transport import Station
from tests.cluster.kitchen import ordered, tickets, working
from tests.durable.faults import until
from tests.durable.shop import Ticket, WantedDish


@pytest.mark.usefixtures("late_rollback")
def test_scenario_15_run_that_outlives_the_grace_is_rolled_back_before_another_worker_is_given_its_event(
    publisher: Station, broker_url: str, application: str, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bus")
    began, may_end = threading.Event(), threading.Event()

    def lingering(kitchen: Database) -> Callable[[WantedDish], None]:
        @module_listener("kitchen.bake")
        def bake(event: WantedDish) -> None:
            kitchen.session.add(Ticket(order_id=event.order_id))
            kitchen.session.flush()
            if not began.is_set():
                began.set()
                may_end.wait(30)

        return bake

    with working(postgresql_url, broker_url, application, lingering) as ending:
        publisher.transport.send("kitchen", ordered(1), 1)
        assert began.wait(10)
        with working(postgresql_url, broker_url, application, lingering):
            ending.stop(grace=0.1)
            until(lambda: tickets(postgresql_url) == [1])
            may_end.set()

    assert tickets(postgresql_url) == [1]
    assert "runs elsewhere, and stays with its publisher" not in caplog.text
