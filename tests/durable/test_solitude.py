"""Runs beside one another, and one alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from bus import module_listener
from bus.failpoint import arm
from bus.hosting import Surroundings, host
from bus.inbox.inbox import Inbox
from bus.inbox.retention import RETENTION
from bus.inbox.solitude import Solitude
from bus.inbox.sqlalchemy import LEASE
from bus.testing import FakeClock
from tests.durable.faults import Killed, Raising, kill, pass_time
from tests.durable.shop import BILL, KITCHEN, ORDER, OwedSum, Shop, Undelayed, placed


class Run:
    """A block on a thread of its own: it tells when it has entered, and leaves when it is let."""

    def __init__(self, pool: ThreadPoolExecutor, block: Callable[[Run], object]) -> None:
        self.entered, self.may_leave = threading.Event(), threading.Event()
        self.ended: Future[object] = pool.submit(block, self)

    def hold(self) -> None:
        self.entered.set()
        self.may_leave.wait(10)


def beside(solitude: Solitude) -> Callable[[Run], object]:
    def block(run: Run) -> None:
        with solitude.beside():
            run.hold()

    return block


def alone(solitude: Solitude) -> Callable[[Run], object]:
    def block(run: Run) -> bool:
        with solitude.alone() as is_alone:
            run.hold()
            return is_alone

    return block


def test_runs_go_beside_one_another() -> None:
    solitude = Solitude()
    with ThreadPoolExecutor() as pool:
        runs = [Run(pool, beside(solitude)) for _ in range(3)]
        are_beside = [run.entered.wait(10) for run in runs]
        for run in runs:
            run.may_leave.set()

    assert all(are_beside)


def test_run_alone_begins_when_the_last_of_the_others_has_ended() -> None:
    solitude = Solitude()
    with ThreadPoolExecutor() as pool:
        first, second = Run(pool, beside(solitude)), Run(pool, beside(solitude))
        first.entered.wait(10)
        second.entered.wait(10)
        lonely = Run(pool, alone(solitude))
        first.may_leave.set()
        first.ended.result(10)
        is_early = lonely.entered.wait(0.05)
        second.may_leave.set()
        lonely.may_leave.set()

    assert not is_early
    assert lonely.ended.result() is True


def test_nothing_begins_beside_a_run_that_is_alone() -> None:
    solitude = Solitude()
    with ThreadPoolExecutor() as pool:
        lonely = Run(pool, alone(solitude))
        lonely.entered.wait(10)
        other, another = Run(pool, beside(solitude)), Run(pool, alone(solitude))
        has_begun = other.entered.wait(0.05) or another.entered.wait(0.05)
        for run in (lonely, other, another):
            run.may_leave.set()

    assert not has_begun
    assert (other.entered.is_set(), another.ended.result()) == (True, True)


def test_one_that_wants_to_be_alone_waits_no_longer_than_its_patience() -> None:
    solitude = Solitude(patience=0)
    with ThreadPoolExecutor() as pool:
        long = Run(pool, beside(solitude))
        long.entered.wait(10)
        with solitude.alone() as is_alone:
            pass
        after = Run(pool, beside(solitude))
        goes_on = after.entered.wait(10)
        long.may_leave.set()
        after.may_leave.set()

    assert not is_alone
    assert goes_on


def test_one_that_wants_to_be_alone_waits_no_longer_for_another_that_is() -> None:
    solitude = Solitude(patience=0)
    with ThreadPoolExecutor() as pool:
        lonely = Run(pool, alone(solitude))
        lonely.entered.wait(10)
        with solitude.alone() as is_alone:
            pass
        other = Run(pool, beside(solitude))
        has_begun = other.entered.wait(0.05)
        for run in (lonely, other):
            run.may_leave.set()

    assert not is_alone
    assert not has_begun


def test_error_in_a_run_lets_the_next_one_be_alone() -> None:
    solitude = Solitude(patience=0)

    with pytest.raises(ValueError, match="no"), solitude.beside():
        raise ValueError("no")
    with pytest.raises(ValueError, match="no"), solitude.alone():
        raise ValueError("no")

    with solitude.alone() as is_alone:
        assert is_alone


def test_forked_child_waits_for_no_run_of_its_parent() -> None:
    solitude = Solitude(patience=0)
    with solitude.beside(), solitude.beside():
        solitude.renew()

        with solitude.alone() as is_alone:
            assert is_alone


def kitchen_inbox(shop: Shop, solitude: Solitude) -> Inbox:
    return host("kitchen", shop.kitchen, Surroundings(shop.bus, solitude, Undelayed(), RETENTION)).inbox


def crashed_once(shop: Shop, clock: FakeClock, solitude: Solitude) -> Inbox:
    """Return an inbox in which a publication that has crashed is due."""
    inbox = kitchen_inbox(shop, solitude)
    with arm("inbox.after_mark", kill), pytest.raises(Killed):
        inbox.receive(placed(7), 2)
    clock.advance(microseconds=LEASE)
    inbox.run_due()
    return inbox


def test_publication_that_cannot_be_alone_is_put_off_and_nothing_is_counted(shop: Shop, clock: FakeClock) -> None:
    listener, solitude = Raising(shop), Solitude(patience=0)
    inbox = crashed_once(shop, clock, solitude)

    with solitude.beside():
        inbox.run_due()
    [row] = shop.publications()
    runs_beside = list(listener.runs)
    pass_time(inbox, clock)

    assert (row.reason, row.failures, row.crashes, runs_beside) == ("crashed", 0, 0, [])
    assert (listener.runs, shop.tickets()) == ([7], [7])


def test_suspect_runs_while_nothing_else_does(shop: Shop, clock: FakeClock) -> None:
    solitude, seen = Solitude(), []
    shop.open_tickets()
    inbox = crashed_once(shop, clock, solitude)
    with arm("inbox.after_start", lambda: seen.append((solitude._is_wanted, solitude._running))):
        inbox.run_due()
        inbox.receive(placed(8), 1)

    assert seen == [(True, 0), (False, 1)]


def test_long_listener_of_another_module_stops_a_suspect_and_nothing_else(tmp_path: Path, clock: FakeClock) -> None:
    shop = Shop(tmp_path, clock=clock, modules=(ORDER, KITCHEN, BILL))
    solitude, reached, gate = Solitude(patience=0), threading.Event(), threading.Event()

    @module_listener("bill.wait")
    def wait(event: OwedSum) -> None:
        reached.set()
        gate.wait(10)

    shop.listen(wait, module="bill")
    listener = Raising(shop)
    inbox = crashed_once(shop, clock, solitude)
    bill = host("bill", shop.databases["bill"], Surroundings(shop.bus, solitude, Undelayed(), RETENTION)).inbox
    with ThreadPoolExecutor() as pool:
        pool.submit(bill.receive, placed(1), 1)
        reached.wait(10)
        inbox.run_due()
        inbox.receive(placed(8), 1)
        runs_meanwhile = list(listener.runs)
        gate.set()
    pass_time(inbox, clock)
    shop.close()

    assert (runs_meanwhile, listener.runs) == ([8], [8, 7])


@pytest.mark.parametrize("is_retry", [False, True])
def test_scenario_11_nothing_is_marked_while_it_would_wait_for_a_run_that_is_alone(shop: Shop, is_retry: bool) -> None:
    listener, solitude, marked = Raising(shop, ValueError("no dough")), Solitude(), threading.Event()
    inbox = kitchen_inbox(shop, solitude)
    if is_retry:
        inbox.receive(placed(8), 1)
    with ThreadPoolExecutor() as pool, arm("inbox.before_mark", marked.set), arm("inbox.before_claim", marked.set):
        lonely = Run(pool, alone(solitude))
        lonely.entered.wait(10)
        run = pool.submit(inbox.run_due) if is_retry else pool.submit(inbox.receive, placed(8), 2)
        is_early = marked.wait(0.05)
        lonely.may_leave.set()
        run.result(10)

    assert (is_early, marked.is_set()) == (False, True)
    assert listener.runs == [8, 8] if is_retry else [8]
