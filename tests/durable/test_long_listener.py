"""Scenario 11: a listener that runs longer than its due time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from bus import DrainTimeoutError, module_listener
from bus.errors import PublicationHeldError
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, until
from tests.durable.shop import Shop, Ticket, WantedDish, placed

#: The order that takes long.
LONG = 7


class Oven:
    """A listener that opens tickets; for one order it ends when it is let, and then raises what it was given."""

    def __init__(self, shop: Shop, error: BaseException | None = None) -> None:
        self.runs: list[int] = []
        self.entered, self.may_end = threading.Event(), threading.Event()
        errors = [] if error is None else [error]

        @module_listener("kitchen.bake", retry=PATIENT)
        def bake(event: WantedDish) -> None:
            self.runs.append(event.order_id)
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            if event.order_id == LONG:
                self.entered.set()
                self.may_end.wait(20)
            if errors:
                raise errors.pop()

        shop.listen(bake)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the long run begin, and end when the block does."""
        assert self.entered.wait(10)
        try:
            yield
        finally:
            self.may_end.set()


@pytest.fixture
def shop(database_url: str, clock: FakeClock) -> Iterator[Shop]:
    shop = Shop(database_url, clock=clock)
    yield shop
    shop.close()


@pytest.fixture
def rival(database_url: str, clock: FakeClock, shop: Shop) -> Iterator[Shop]:
    """The same shop as in a second process: the two share nothing but their databases."""
    rival = Shop(database_url, clock=clock)
    yield rival
    rival.close()


def pass_leases(clock: FakeClock, *shops: Shop) -> None:
    """Let several due times go by, and have each shop look at what is due after each of them."""
    for _ in range(5):
        clock.advance(microseconds=LEASE)
        for shop in shops:
            with suppress(DrainTimeoutError):
                shop.bus.drain(timeout=0.05)


def count_in(shop: Shop) -> list[int]:
    """Have a second listener hear the orders, after the first; return those that it has heard."""
    heard: list[int] = []

    @module_listener("kitchen.count")
    def count(event: WantedDish) -> None:
        heard.append(event.order_id)

    shop.listen(count)
    return heard


def retry_of_the_long_one(shop: Shop) -> None:
    """Have a run of it be due that is marked, as any is that follows a failure."""
    failed = Outcome(State.RETRYING, Reason.FAILED, 0, failures=1, crashes=0)
    shop.inbox_store.record(Publication("kitchen.bake", placed(LONG)), failed)


def test_scenario_11_long_listener_is_not_run_twice_while_its_process_lives(
    shop: Shop, rival: Shop, clock: FakeClock
) -> None:
    oven, other = Oven(shop), Oven(rival)
    shop.bus.start()
    shop.place(LONG)
    with oven.held():
        pass_leases(clock, shop, rival)
    shop.bus.drain()

    assert (oven.runs, other.runs, shop.tickets()) == ([LONG], [], [LONG])
    assert shop.states() == {"kitchen.bake": "completed"}


def test_scenario_11_long_retry_is_not_run_twice_and_passes_for_no_crash(
    shop: Shop, rival: Shop, clock: FakeClock
) -> None:
    oven, other = Oven(shop), Oven(rival)
    retry_of_the_long_one(shop)
    shop.bus.start()
    with oven.held():
        pass_leases(clock, shop, rival)
    shop.bus.drain()

    [row] = shop.publications()
    assert (oven.runs, other.runs, shop.tickets()) == ([LONG], [], [LONG])
    assert (row.state, row.starts, row.failures, row.crashes, row.error) == ("completed", 2, 1, 0, None)


def test_scenario_11_long_listener_that_fails_has_failed_and_not_crashed(
    shop: Shop, rival: Shop, clock: FakeClock
) -> None:
    oven = Oven(shop, ValueError("no dough"))
    Oven(rival)
    retry_of_the_long_one(shop)
    shop.bus.start()
    with oven.held():
        pass_leases(clock, shop, rival)
    shop.bus.drain()

    [row] = shop.publications()
    assert (row.state, row.failures, row.crashes, row.error) == ("completed", 2, 0, "ValueError: no dough")
    assert shop.tickets() == [LONG]


def test_scenario_11_sibling_of_a_long_listener_has_its_run(shop: Shop, clock: FakeClock) -> None:
    oven, heard = Oven(shop), count_in(shop)
    shop.bus.start()
    shop.place(LONG)
    with oven.held():
        pass_leases(clock, shop)
    shop.bus.drain()

    assert (oven.runs, heard) == ([LONG], [LONG])
    assert shop.owed() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_scenario_11_sibling_runs_beside_a_long_listener_where_a_module_has_several_workers(
    shop: Shop, clock: FakeClock
) -> None:
    oven, heard = Oven(shop), count_in(shop)
    shop.bus.start()
    shop.place(LONG)
    with oven.held():
        pass_leases(clock, shop)
        until(lambda: shop.states() == {"kitchen.count": "completed"})

    assert (oven.runs, heard) == ([LONG], [LONG])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_scenario_11_resends_of_a_long_listener_do_not_use_up_the_workers(
    shop: Shop, rival: Shop, clock: FakeClock
) -> None:
    oven = Oven(shop)
    Oven(rival)
    shop.bus.start()
    shop.place(LONG)
    with oven.held():
        pass_leases(clock, shop, rival)
        [row] = shop.owed()
        shop.place(1, 2, 3)
        until(lambda: sorted(shop.tickets()) == [1, 2, 3])

    assert row.sends > 2
    assert oven.runs.count(LONG) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_scenario_11_process_knows_its_own_run_whose_connection_was_lost(shop: Shop, clock: FakeClock) -> None:
    inbox, pids = shop.inbox(), []

    @module_listener("kitchen.bake")
    def bake(event: WantedDish) -> None:
        pids.append(shop.kitchen.session.scalar(text("SELECT pg_backend_pid()")))
        with shop.databases["order"].write() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pids[-1]})
        clock.advance(microseconds=LEASE)
        with ThreadPoolExecutor(1) as another_worker:
            found.append(another_worker.submit(inbox.run_due).result(10))
            another_worker.submit(inbox.receive, placed(LONG), 3).result(10)

    found: list[bool] = []
    shop.listen(bake)
    inbox.receive(placed(LONG), 2)

    [row] = shop.publications()
    assert (len(pids), found) == (1, [False])
    assert (row.reason, row.crashes) == ("busy", 0)


def test_scenario_11_event_whose_first_run_is_on_stays_with_its_publisher(shop: Shop) -> None:
    inbox, second = shop.inbox(), []

    @module_listener("kitchen.bake")
    def bake(event: WantedDish) -> None:
        with ThreadPoolExecutor(1) as another_worker:
            second.append(another_worker.submit(inbox.receive, placed(LONG), 2).exception(10))

    shop.listen(bake)
    inbox.receive(placed(LONG), 1)

    assert [type(error) for error in second] == [PublicationHeldError]


def test_scenario_11_event_whose_retry_is_on_is_no_longer_owed(shop: Shop) -> None:
    inbox, second = shop.inbox(), []

    @module_listener("kitchen.bake")
    def bake(event: WantedDish) -> None:
        with ThreadPoolExecutor(1) as another_worker:
            second.append(another_worker.submit(inbox.receive, placed(LONG), 3).exception(10))

    shop.listen(bake)
    retry_of_the_long_one(shop)
    assert inbox.run_due()

    assert second == [None]
