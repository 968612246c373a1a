"""What still runs when the grace of its worker is over is rolled back there, and made by another one at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from bus import Database, module_listener
from bus.testing.contracts.transport import Station
from tests.cluster.kitchen import ordered, tickets, working
from tests.durable.faults import until
from tests.durable.shop import Ticket, WantedDish


def test_scenario_15_run_that_outlives_the_grace_is_made_by_another_worker_and_needs_no_second_send(
    publisher: Station, broker_url: str, application: str, postgresql_url: str
) -> None:
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
