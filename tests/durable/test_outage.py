"""A module's database is away: its workers wait, nothing is counted, and all is done once it is back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bus import PermanentFailure, module_listener
from bus.failpoint import FailpointError, arm
from bus.inbox.sqlalchemy import LEASE
from bus.testing import FakeClock
from tests.databases import ON_SQLITE
from tests.durable.faults import FULL, IO_ERROR, Log, Raising, dead_letters, failing_statements, pass_time, refuse
from tests.durable.shop import BILL, KITCHEN, ORDER, OwedSum, Shop, WantedDish, placed


def test_scenario_26_outage_is_not_failure(shop: Shop) -> None:
    listener = Raising(shop)

    with Log("kitchen is away") as log:
        with failing_statements(shop.kitchen, IO_ERROR):
            shop.place(1, 2, 3)
            shop.bus.start()
            log.heard.wait(10)
        shop.bus.drain()

    assert log.heard.is_set()
    assert (sorted(shop.tickets()), sorted(listener.runs)) == ([1, 2, 3], [1, 2, 3])
    assert {(row.state, row.starts, row.failures) for row in shop.publications()} == {("completed", 1, 0)}
    assert shop.failures.errors == []


def test_scenario_26_outage_is_told_twice_by_the_workers_and_twice_by_the_relay(shop: Shop) -> None:
    tries, enough = [0], threading.Event()

    def count(*_arguments: object) -> None:
        tries[0] += 1
        if tries[0] > 8:
            enough.set()

    Raising(shop)
    sqlalchemy_event.listen(shop.kitchen.engine, "checkout", count)
    with Log("") as log:
        with failing_statements(shop.kitchen, FULL, "bus_"):
            shop.place(*range(50))
            shop.bus.start()
            enough.wait(20)
        shop.bus.drain()

    about_the_database = [line for line in log.lines if line.startswith("the database of kitchen")]
    assert [line.split(",")[0] for line in about_the_database] == [
        "the database of kitchen is away",
        "the database of kitchen is back",
    ]
    # The fifth is a run in whose middle the database came back.
    assert len(log.lines) <= 5
    assert sorted(shop.tickets()) == list(range(50))


@ON_SQLITE
def test_scenario_26_full_disk_counts_no_failure(shop: Shop, clock: FakeClock) -> None:
    pages = [60]

    @module_listener("kitchen.store")
    def store(event: WantedDish) -> None:
        shop.kitchen.session.execute(text("INSERT INTO store VALUES (zeroblob(1000000))"))

    with shop.kitchen.write() as connection:
        connection.exec_driver_sql("CREATE TABLE store (data BLOB)")
    sqlalchemy_event.listen(
        shop.kitchen.engine, "checkout", lambda raw, *_: raw.execute(f"PRAGMA max_page_count = {pages[0]}").close()
    )
    shop.listen(store)
    inbox = shop.inbox()
    inbox.receive(placed(), 1)
    [full] = shop.publications()

    pages[0] = 10_000
    pass_time(inbox, clock)

    assert (full.reason, full.failures, full.error_type) == ("busy", 0, "OperationalError")
    assert shop.states() == {"kitchen.store": "completed"}


def test_outage_of_one_module_does_not_delay_another(database_url: str) -> None:
    shop, billed = Shop(database_url, modules=(ORDER, KITCHEN, BILL)), threading.Semaphore(0)

    @module_listener("bill.write")
    def write(event: OwedSum) -> None:
        billed.release()

    shop.listen(write, module="bill")
    shop.open_tickets()
    with failing_statements(shop.kitchen, IO_ERROR):
        shop.place(*range(20))
        shop.bus.start()
        has_billed = [billed.acquire(timeout=10) for _ in range(20)]
        tickets_meanwhile = len(shop.owed())
    shop.bus.drain()
    tickets = sorted(shop.tickets())
    shop.close()

    assert all(has_billed)
    assert tickets_meanwhile >= 20
    assert tickets == list(range(20))


def test_stop_during_an_outage_gives_back_what_waits(shop: Shop) -> None:
    shop.open_tickets()
    with Log("kitchen is away") as log, failing_statements(shop.kitchen, IO_ERROR):
        shop.place(1, 2, 3)
        shop.bus.start()
        log.heard.wait(10)
        shop.bus.stop(grace=10)
    owed = shop.owed()

    shop.bus.drain()

    assert [(row.sends, row.due_at) for row in owed] == [(0, shop.clock.microseconds())] * 3
    assert sorted(shop.tickets()) == [1, 2, 3]


def test_outage_that_begins_in_the_middle_of_a_run_leaves_no_effect_and_no_count(shop: Shop) -> None:
    shop.open_tickets()
    inbox = shop.inbox()

    with failing_statements(shop.kitchen, IO_ERROR, "UPDATE bus_inbox"):
        inbox.receive(placed(7), 1)
    [row] = shop.publications()

    assert (row.reason, row.failures, row.crashes) == ("busy", 0, 0)
    assert shop.tickets() == []


def test_retry_that_meets_an_outage_is_no_crash_when_its_lease_is_over(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no dough"))
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    clock.advance(seconds=1)

    with failing_statements(shop.kitchen, IO_ERROR, "SET state"), pytest.raises(OperationalError):
        inbox.run_due()
    clock.advance(microseconds=LEASE)
    pass_time(inbox, clock, hours=2)

    [row] = shop.publications()
    assert (row.state, row.failures, row.crashes) == ("completed", 1, 0)
    assert [tried.outcome for tried in dead_letters(shop).attempts("kitchen.raise", "event-7")] == ["failed"]


def test_dead_letter_that_could_not_be_recorded_is_recorded_and_announced_late(shop: Shop) -> None:
    told: list[str] = []
    tell = lambda _bus, *, reason, **_details: told.append(reason)  # noqa: E731 - a receiver of a line
    shop.bus.signals.publication_dead.connect(tell)
    Raising(shop, PermanentFailure("no such dish"))
    inbox = shop.inbox()

    with failing_statements(shop.kitchen, IO_ERROR, "bus_attempt"), pytest.raises(OperationalError):
        inbox.receive(placed(), 2)
    inbox.run_due()
    inbox.run_due()

    assert shop.states() == {"kitchen.raise": "dead"}
    assert (told, len(shop.failures.errors)) == (["permanent"], 1)


def test_late_record_waits_until_the_database_takes_it(shop: Shop) -> None:
    listener = Raising(shop, ValueError("no dough"))
    inbox = shop.inbox()

    with failing_statements(shop.kitchen, IO_ERROR, "bus_attempt"):
        for _ in range(3):
            with pytest.raises(OperationalError):
                inbox.receive(placed(), 2)
    inbox.run_due()

    assert listener.runs == [1]
    assert [(row.reason, row.failures) for row in shop.publications()] == [("failed", 1)]


def test_end_that_can_never_be_recorded_keeps_no_other_from_running(shop: Shop, clock: FakeClock) -> None:
    def poison(_cursor: object, statement: str, *_rest: object) -> None:
        if "bus_attempt" in statement:
            raise OverflowError("a number that no database holds")

    Raising(shop, ValueError("no dough"))
    inbox = shop.inbox()
    sqlalchemy_event.listen(shop.kitchen.engine, "do_execute", poison)
    with pytest.raises(OverflowError):
        inbox.receive(placed(1), 2)
    inbox.receive(placed(2), 1)
    sqlalchemy_event.remove(shop.kitchen.engine, "do_execute", poison)
    tickets_meanwhile = shop.tickets()
    pass_time(inbox, clock, hours=3)

    assert tickets_meanwhile == [2]
    assert sorted(shop.tickets()) == [1, 2]


def test_settling_late_from_several_threads_loses_none(shop: Shop) -> None:
    listener = Raising(shop, ValueError("no dough"), for_ever=True)
    inbox, count = shop.inbox(), 8
    together = threading.Barrier(count)

    def fail_together() -> None:
        together.wait(10)
        refuse()

    with arm("inbox.before_failure", fail_together), ThreadPoolExecutor(count) as pool:
        ends = [pool.submit(inbox.receive, placed(number), 2) for number in range(count)]
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: inbox.run_due(), range(count)))

    assert {type(end.exception()) for end in ends} == {FailpointError}
    assert len(listener.runs) == count
    assert [(row.reason, row.failures) for row in shop.publications()] == [("failed", 1)] * count
