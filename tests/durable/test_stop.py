"""How a bus stops: it begins nothing more, waits for what runs, and gives back the rest."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from bus import SystemClock, module_listener
from bus.clock import to_microseconds
from bus.failpoint import arm
from bus.testing import FakeClock
from tests.databases import ON_POSTGRESQL
from tests.durable.faults import FULL, failing_statements, until
from tests.durable.shop import BILL, KITCHEN, ORDER, OwedSum, Shop, Ticket, WantedDish


class Stage:
    """A listener of the kitchen that stands in its run from the wanted run on, until it is let go."""

    def __init__(self, shop: Shop, *, fails_before: bool = False) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()
        self._failures = [ValueError("no dough")] if fails_before else []

        @module_listener("kitchen.cook")
        def cook(event: WantedDish) -> None:
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            shop.kitchen.session.flush()
            if self._failures:
                raise self._failures.pop()
            self.began.set()
            self.may_end.wait(20)

        shop.listen(cook)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_error: object) -> None:
        self.may_end.set()


@pytest.fixture
def stopping() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def settled(shop: Shop) -> None:
    """Have the way between the modules open, so that what is published is sent at once."""
    shop.bus.drain()


def test_scenario_15_what_waits_is_due_before_the_listener_that_runs_has_ended(
    shop: Shop, clock: FakeClock, stopping: ThreadPoolExecutor
) -> None:
    settled(shop)
    with Stage(shop) as stage:
        shop.place(1)
        stage.began.wait(10)
        shop.place(2, 3)
        stopping.submit(shop.bus.stop, grace=60)
        until(lambda: [row.sends for row in shop.owed()].count(0) == 2)

        [runs, *waits] = shop.owed()
    now = to_microseconds(clock.now())
    assert [(row.due_at, row.sends) for row in waits] == [(now, 0), (now, 0)]
    assert (runs.due_at > now, runs.sends) == (True, 1)


def test_scenario_15_no_module_begins_anything_while_another_one_is_waited_for(
    database_url: str, stopping: ThreadPoolExecutor
) -> None:
    shop = Shop(database_url, modules=(ORDER, KITCHEN, BILL), workers=1)
    runs: list[int] = []
    stopped = threading.Event()

    @module_listener("bill.charge")
    def charge(event: OwedSum) -> None:
        runs.append(event.order_id)
        stopped.wait(10)

    shop.listen(charge, module="bill")
    settled(shop)
    with Stage(shop) as stage:
        shop.place(1, 2, 3)
        stage.began.wait(10)
        until(lambda: runs)
        end = stopping.submit(shop.bus.stop, grace=60)
        until(lambda: [row.sends for row in shop.owed()].count(0) == 4)
        stopped.set()
    end.result()

    shop.close()
    assert runs == [1]


def test_scenario_15_first_run_that_outlives_the_grace_is_due_at_once(shop: Shop, clock: FakeClock) -> None:
    settled(shop)
    with Stage(shop) as stage:
        shop.place(1)
        stage.began.wait(10)

        shop.bus.stop(grace=0)

        [owed] = shop.owed()
    assert (owed.due_at, owed.sends) == (to_microseconds(clock.now()), 0)


@ON_POSTGRESQL
@pytest.mark.usefixtures("late_rollback")
def test_scenario_15_run_that_outlives_the_grace_is_rolled_back_before_its_event_is_due_for_others(
    database_url: str, stopping: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bus")
    ending, other = Shop(database_url, clock=SystemClock()), Shop(database_url, clock=SystemClock())
    Stage(other).may_end.set()
    ending.bus.start()
    with Stage(ending) as stage:
        ending.place(1)
        assert stage.began.wait(10)
        # It asks all the time whether anything is due.
        helping = stopping.submit(other.bus.drain, 30)
        ending.bus.stop(grace=0)
        helping.result()

        tickets = other.tickets()
    ending.close()
    other.close()
    assert tickets == [1]
    assert "runs elsewhere, and stays with its publisher" not in caplog.text


def test_scenario_15_what_is_committed_after_the_stop_is_due_at_once(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    settled(shop)

    with arm("transaction.before_commit", lambda: shop.bus.stop(grace=0)):
        shop.place(1)

    [owed] = shop.owed()
    assert (owed.due_at, owed.sends) == (to_microseconds(clock.now()), 0)


def test_scenario_15_database_that_is_away_then_takes_nothing_from_what_was_committed(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.open_tickets()
    settled(shop)

    with (
        arm("transaction.before_commit", lambda: shop.bus.stop(grace=0)),
        failing_statements(shop.order, FULL, "sends - "),
    ):
        shop.place(1)

    [owed] = shop.owed()
    assert owed.sends == 1
    assert "what order owes to kitchen is due later" in caplog.text


@ON_POSTGRESQL
def test_scenario_15_retry_that_outlives_the_grace_is_rolled_back_and_due_at_once(shop: Shop, clock: FakeClock) -> None:
    with Stage(shop, fails_before=True) as stage:
        shop.place(1)
        shop.bus.start()
        stage.began.wait(10)

        shop.bus.stop(grace=0)

        [cut] = shop.publications()
        stage.may_end.set()
        until(lambda: not running("bus-kitchen"))
    assert (cut.state, cut.reason, cut.failures, cut.crashes) == ("retrying", "stopped", 1, 0)
    assert cut.due_at == to_microseconds(clock.now())
    assert shop.tickets() == []


@ON_POSTGRESQL
def test_scenario_15_what_one_process_gives_back_another_runs_at_once(shop: Shop, clock: FakeClock) -> None:
    other = Shop(shop.where, clock=clock)
    other.open_tickets()
    with Stage(shop, fails_before=True) as stage:
        shop.place(1)
        shop.bus.start()
        stage.began.wait(10)
        shop.bus.stop(grace=0)
        other.listen(cooking(other))

        other.bus.drain()

    other.close()
    assert [(row.listener, row.state) for row in shop.publications()] == [("kitchen.cook", "completed")]
    assert shop.tickets() == [1]


def test_second_signal_ends_the_wait_and_gives_back_what_runs(shop: Shop, clock: FakeClock) -> None:
    settled(shop)
    signal.signal(signal.SIGUSR1, leave)
    began = time.monotonic()
    with Stage(shop) as stage:
        shop.place(1)
        stage.began.wait(10)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()

        with pytest.raises(SystemExit):
            shop.bus.stop(grace=60)

        [owed] = shop.owed()
    assert time.monotonic() - began < 30
    assert (owed.due_at, owed.sends) == (to_microseconds(clock.now()), 0)


def cooking(shop: Shop) -> Callable[[WantedDish], None]:
    @module_listener("kitchen.cook")
    def cook(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))

    return cook


def leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


def running(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]
