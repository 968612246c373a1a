"""A message that a broker delivers again and again, and to several workers, has one effect for each listener."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bus import Database, module_listener
from bus.testing.contracts.transport import Station
from tests.cluster.kitchen import Listening, ordered, tickets, working
from tests.contracts.queue import Queue
from tests.durable.faults import until
from tests.durable.shop import Ticket, WantedDish

#: Workers on one queue, each with threads of its own.
WORKERS = 2

Work = Callable[..., ExitStack]


@pytest.fixture
def work(broker_url: str, application: str) -> Iterator[Work]:
    """Run workers of the kitchen on one database, with these listeners, until they are closed."""
    with ExitStack() as stack:

        def run(url: str, *listenings: Listening) -> ExitStack:
            for _ in range(WORKERS):
                stack.enter_context(working(url, broker_url, application, *listenings))
            return stack

        yield run


def ticket_of(name: str) -> Listening:
    """Return what makes a listener that opens a ticket for the order."""

    def listening(kitchen: Database) -> Callable[[WantedDish], None]:
        @module_listener(name)
        def open_ticket(event: WantedDish) -> None:
            kitchen.session.add(Ticket(order_id=event.order_id))

        return open_ticket

    return listening


def test_scenario_30_message_that_comes_many_times_has_one_effect_for_each_listener(
    publisher: Station, queue: Queue, work: Work, database_url: str
) -> None:
    workers = work(database_url, ticket_of("kitchen.bake"), ticket_of("kitchen.garnish"))
    for sends in (1, 1, 2, 1, 3):
        for order_id in range(10):
            publisher.transport.send("kitchen", ordered(order_id), sends)

    assert publisher.has_heard(10, 10)
    until(lambda: queue.count() == 0)
    workers.close()

    assert tickets(database_url) == [order_id for order_id in range(10) for _ in range(2)]


def test_scenario_30_message_that_two_workers_have_at_once_is_run_by_one_of_them(
    publisher: Station, queue: Queue, work: Work, postgresql_url: str
) -> None:
    began, may_end = threading.Semaphore(0), threading.Event()

    def lingering(kitchen: Database) -> Callable[[WantedDish], None]:
        @module_listener("kitchen.bake")
        def bake(event: WantedDish) -> None:
            kitchen.session.add(Ticket(order_id=event.order_id))
            began.release()
            may_end.wait(30)

        return bake

    workers = work(postgresql_url, lingering)
    # A later send: its start is marked.
    publisher.transport.send("kitchen", ordered(1), 2)
    assert began.acquire(timeout=10)
    for _ in range(2 * WORKERS):
        publisher.transport.send("kitchen", ordered(1), 1)
    # As it has a row it need not be sent again; whoever has it now knows that somebody runs it.
    until(lambda: publisher.acknowledged)
    may_end.set()
    until(lambda: queue.count() == 0)
    workers.close()

    assert tickets(postgresql_url) == [1]
    assert not began.acquire(blocking=False)
