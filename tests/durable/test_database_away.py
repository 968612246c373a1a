"""Scenario 26 on a server that lets nobody in for a while; `test_outage.py` has the errors one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from bus import module_listener
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Log, until
from tests.durable.shop import Shop, Ticket, WantedDish


@contextmanager
def away(url: str) -> Iterator[None]:
    """End every connection to a database, and let nobody in until the end of the block."""
    name = make_url(url).database
    engine = create_engine(
        make_url(url).set(database="postgres", query={}), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        try:
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))


def test_scenario_26_database_that_goes_in_the_middle_of_a_run_leaves_no_failure(
    fresh_postgresql_url: str, clock: FakeClock
) -> None:
    shop = Shop(fresh_postgresql_url, clock=clock)
    began, may_write = threading.Event(), threading.Event()

    @module_listener("kitchen.open_ticket", retry=PATIENT)
    def open_ticket(event: WantedDish) -> None:
        began.set()
        may_write.wait(20)
        shop.kitchen.session.add(Ticket(order_id=event.order_id))

    shop.listen(open_ticket)
    shop.bus.start()
    shop.place(7)
    began.wait(10)

    with Log("kitchen is away") as log:
        with away(fresh_postgresql_url):
            may_write.set()
            assert log.heard.wait(20)
        until(lambda: shop.kitchen.takes_writes())
        clock.advance(hours=1)
        shop.bus.drain(timeout=30)
    [row] = shop.publications()
    shop.close()

    assert (row.state, row.failures, row.crashes) == ("completed", 0, 0)
    assert shop.tickets() == [7]
    assert len(log.lines) < 20
