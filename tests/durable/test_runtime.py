from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from bus import BusError, DrainTimeoutError, module_listener
from bus.clock import to_microseconds
from bus.failpoint import FailpointError, arm
from bus.postgresql import WORKERS
from bus.testing import FakeClock
from tests.databases import ON_POSTGRESQL
from tests.durable.shop import (
    BILL,
    KITCHEN,
    ORDER,
    Answer,
    OpenedTicket,
    OwedSum,
    Shop,
    Ticket,
    TicketOpened,
    WantedDish,
    placed,
)
from tests.threads import bus_threads

ROOT = Path(__file__).parents[2]

#: From 3.12 on Python warns of a fork from a process with threads; what the bus makes of one is tested all the same.
MAY_FORK = "ignore:This process:DeprecationWarning"


class Gate:
    """A listener that stops at a gate until it is let through; order 0 passes freely."""

    def __init__(self, shop: Shop) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._shop = shop

    @module_listener("kitchen.wait_at_gate")
    def wait_at_gate(self, event: WantedDish) -> None:
        if event.order_id:
            self.reached.set()
            self.opened.wait(10)
        self._shop.kitchen.session.add(Ticket(order_id=event.order_id))

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_error: object) -> None:
        self.opened.set()


@pytest.fixture
def gate(shop: Shop) -> Gate:
    """Return the gate of a shop that runs, has nothing waiting, and has delivered order 0."""
    gate = Gate(shop)
    shop.bus.module("kitchen").subscribe(gate)
    shop.place(0)
    shop.bus.drain()
    return gate


def test_assembling_and_publishing_start_nothing(shop: Shop) -> None:
    shop.place(1)

    assert bus_threads() == []
    assert len(shop.owed()) == 1


def test_start_runs_one_relay_and_one_worker_for_each_module(shop: Shop) -> None:
    shop.bus.start()

    assert bus_threads() == ["bus-kitchen", "bus-kitchen-relay", "bus-order", "bus-order-relay"]


@ON_POSTGRESQL
def test_modules_on_postgresql_have_several_workers_that_run_side_by_side(database_url: str) -> None:
    shop, together = Shop(database_url), threading.Barrier(WORKERS)

    @module_listener("kitchen.wait_for_each_other")
    def wait(event: WantedDish) -> None:
        together.wait(10)

    shop.listen(wait)
    shop.place(*range(2 * WORKERS))
    shop.bus.drain()
    threads, states = bus_threads(), [row.state for row in shop.publications()]
    shop.close()

    assert threads.count("bus-kitchen") == WORKERS
    assert states == ["completed"] * 2 * WORKERS


def test_starting_again_starts_nothing_more(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: shop.bus.start(), range(32)))

    assert bus_threads() == ["bus-kitchen", "bus-kitchen-relay", "bus-order", "bus-order-relay"]


def test_stop_ends_every_thread_and_may_be_repeated(shop: Shop) -> None:
    shop.bus.start()

    shop.bus.stop()
    shop.bus.stop()

    assert bus_threads() == []


def test_start_delivers_what_was_recorded_before(shop: Shop) -> None:
    shop.open_tickets()
    shop.place(1, 2)

    shop.bus.drain()

    assert shop.tickets() == [1, 2]
    assert shop.owed() == []


def test_stop_releases_what_was_not_begun(shop: Shop, gate: Gate, clock: FakeClock) -> None:
    shop.place(1)
    with gate:
        gate.reached.wait(10)
        shop.place(2, 3)
        shop.bus.stop(grace=0)
        [_, second, third] = shop.owed()

    now = to_microseconds(clock.now())
    assert [(row.due_at, row.sends) for row in (second, third)] == [(now, 0), (now, 0)]


def test_new_start_delivers_what_the_stop_released(shop: Shop, gate: Gate) -> None:
    shop.place(1)
    with gate:
        gate.reached.wait(10)
        shop.place(2, 3)
        shop.bus.stop(grace=0)

    shop.bus.drain()

    assert sorted(shop.tickets()) == [0, 1, 2, 3], "in whatever order several workers run them"


def test_stop_writes_the_acknowledgements_of_what_was_done(shop: Shop, gate: Gate) -> None:
    shop.place(1)
    with gate:
        gate.reached.wait(10)
    shop.bus.stop()

    assert shop.tickets() == [0, 1]
    assert shop.owed() == []


def test_event_published_after_the_stop_is_delivered_at_the_next_start(shop: Shop) -> None:
    shop.open_tickets()
    shop.bus.start()
    shop.bus.stop()

    shop.place(1)
    [row] = shop.owed()
    shop.bus.drain()

    assert row.sends == 0
    assert shop.tickets() == [1]


def test_drain_that_takes_too_long_names_who_owes_how_much(shop: Shop, gate: Gate) -> None:
    shop.place(1, 2)

    with gate, pytest.raises(DrainTimeoutError, match="still owed after 0 s: order: 2; see `flask bus status`") as late:
        shop.bus.drain(timeout=0)

    assert late.value.owed == {"order": 2, "kitchen": 0}


def test_drain_that_waits_for_a_retry_names_the_listening_module(shop: Shop) -> None:
    @module_listener("kitchen.fail")
    def fail(event: WantedDish) -> None:
        raise ValueError("no dough")

    shop.listen(fail)
    shop.inbox().receive(placed(), 1)

    with pytest.raises(DrainTimeoutError, match="still owed after 0 s: kitchen: 1;"):
        shop.bus.drain(timeout=0)


def test_drain_inside_a_unit_of_work_is_refused(shop: Shop) -> None:
    with shop.order.transaction(), pytest.raises(BusError, match="drain after the block"):
        shop.bus.drain()


def test_drain_runs_due_retries(shop: Shop) -> None:
    runs: list[int] = []

    @module_listener("kitchen.fail_twice")
    def fail_twice(event: WantedDish) -> None:
        runs.append(event.order_id)
        if len(runs) < 3:
            raise ValueError("no dough")

    shop.listen(fail_twice)
    shop.place(7)

    shop.bus.drain()

    assert runs == [7, 7, 7]
    assert shop.states() == {"kitchen.fail_twice": "completed"}


def test_drain_follows_modules_that_answer_one_another(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))

    @module_listener("order.note_ticket")
    def note_ticket(event: OpenedTicket) -> None:
        shop.order.session.add(Answer(order_id=event.order_id))

    shop.listen(open_ticket)
    shop.listen(note_ticket, module="order")
    for number in range(30):
        shop.place(number)

    shop.bus.drain()

    assert sorted(shop.tickets()) == sorted(shop.answers()) == list(range(30))
    assert (shop.owed(), shop.owed("kitchen")) == ([], [])


def test_slow_listener_of_one_module_does_not_delay_anothers(database_url: str) -> None:
    shop = Shop(database_url, modules=(ORDER, KITCHEN, BILL))
    reached, opened, cooked = threading.Event(), threading.Event(), threading.Semaphore(0)

    @module_listener("bill.wait")
    def wait(event: OwedSum) -> None:
        reached.set()
        opened.wait(10)

    @module_listener("kitchen.cook")
    def cook(event: WantedDish) -> None:
        cooked.release()

    shop.listen(wait, module="bill")
    shop.listen(cook)
    shop.bus.start()
    shop.place(*range(20))
    is_waiting = reached.wait(10)
    has_cooked = [cooked.acquire(timeout=10) for _ in range(20)]
    opened.set()
    shop.close()

    assert is_waiting
    assert all(has_cooked)


def test_publisher_does_not_wait_for_a_listener(shop: Shop, gate: Gate) -> None:
    with gate:
        shop.place(1)
        gate.reached.wait(10)
        shop.place(2)

        assert shop.orders() == [0, 1, 2]
        assert shop.tickets() == [0]


def test_listener_that_exits_leaves_its_module_working(shop: Shop) -> None:
    @module_listener("kitchen.exit_once")
    def exit_once(event: WantedDish) -> None:
        if not shop.publications():
            raise SystemExit(1)

    shop.listen(exit_once)
    shop.place(1)

    shop.bus.drain(timeout=30)

    assert shop.states() == {"kitchen.exit_once": "completed"}


def drain_as_time_goes_by(shop: Shop, clock: FakeClock) -> None:
    """Drain; what has become due a moment too early for its place to be free is due again a minute later."""
    for _ in range(10):
        clock.advance(minutes=1)
        with suppress(DrainTimeoutError):
            shop.bus.drain(timeout=2)
            return


@pytest.mark.parametrize("place", ["inbox.before_failure", "inbox.after_commit", "relay.before_acknowledge"])
def test_error_on_the_way_ends_neither_worker_nor_bus_thread(shop: Shop, clock: FakeClock, place: str) -> None:
    failed = threading.Event()

    def fail_once() -> None:
        if not failed.is_set():
            failed.set()
            raise FailpointError(place)

    shop.listen(failing_once())
    with arm(place, fail_once):
        shop.place(1)
        shop.bus.start()
        failed.wait(10)
        drain_as_time_goes_by(shop, clock)

    assert failed.is_set()
    assert shop.states() == {"kitchen.fail_once": "completed"}
    assert shop.owed() == []


def test_forked_child_has_a_bus_of_its_own(database_url: str) -> None:
    output = run("tests.durable.forking", database_url)

    shop = Shop(database_url)
    tickets, ids, owed = shop.tickets(), {row.id for row in shop.history()}, shop.owed()
    shop.close()
    assert output == "threads of the child: ['MainThread']\n"
    assert sorted(tickets) == [*range(20), *range(100, 120), *range(200, 220)]
    assert len(ids) == 60
    assert owed == []


def test_child_forked_while_another_thread_writes_can_write(database_url: str) -> None:
    run("tests.durable.forking_midway", database_url)

    shop = Shop(database_url)
    orders = shop.orders()
    shop.close()
    assert orders == [*range(500), 1000]


def test_listener_that_runs_at_interpreter_exit_is_finished(tmp_path: Path) -> None:
    run("tests.durable.leaving", tmp_path)

    shop = Shop(tmp_path)
    tickets, states, owed = shop.tickets(), shop.states(), shop.owed()
    shop.close()
    assert tickets == [1]
    assert states == {"kitchen.linger": "completed"}
    assert owed == []


def test_bus_that_runs_is_closed_at_interpreter_exit(tmp_path: Path) -> None:
    output = run("tests.durable.closing", "started", tmp_path)

    assert output.splitlines() == ["BusStarted", "BusClosed", "BusStopped"]


def test_background_listener_that_runs_at_interpreter_exit_is_finished(tmp_path: Path) -> None:
    output = run("tests.durable.closing", "background", tmp_path)

    assert output.splitlines() == ["BusClosed", "heard of leaving"]


def test_forked_child_has_background_threads_of_its_own_and_closes_once(tmp_path: Path) -> None:
    output = run("tests.durable.closing", "forked", tmp_path)

    assert sorted(output.splitlines()) == [
        "BusClosed",
        "BusClosed",
        "BusStarted",
        "BusStopped",
        "heard of child",
        "heard of parent",
    ]


def failing_once() -> Callable[[WantedDish], None]:
    runs: list[int] = []

    @module_listener("kitchen.fail_once")
    def fail_once(event: WantedDish) -> None:
        runs.append(event.order_id)
        if len(runs) == 1:
            raise ValueError("no dough")

    return fail_once


def run(script: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", MAY_FORK, "-m", script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
