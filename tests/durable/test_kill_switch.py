"""A listener most of whose runs fail pauses itself, and is tried again with one publication at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bus import KillSwitch, Operations, RetryAfter, RetryPolicy, module_listener, operations_of
from bus.courtesy import Courtesy
from bus.failpoint import arm
from bus.inbox.inbox import Inbox
from bus.inbox.pauses import Pause, PauseKind
from bus.inbox.pausing import PROBE_LEASE
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.workers import Workers
from bus.testing import FakeClock
from tests.durable.faults import Log, Raising, until
from tests.durable.shop import Shop, Ticket, WantedDish, placed

SWITCH = KillSwitch(runs=4, window=60.0, share=0.5, pause=30.0, longest_pause=100.0)
POLICY = RetryPolicy(kill_switch=SWITCH, first_delay=3600.0, longest_delay=3600.0)
ERROR = ValueError("no dough")


@pytest.fixture
def operations(shop: Shop) -> Operations:
    return operations_of(shop.bus)


@pytest.fixture
def pauses(shop: Shop) -> SqlAlchemyPauseStore:
    return SqlAlchemyPauseStore(shop.kitchen, shop.clock)


def stopped(shop: Shop, *, ok_after: int = 10**6) -> tuple[Inbox, Raising]:
    """Return an inbox whose listener has just paused itself; it fails so many times in all."""
    listener = Raising(shop, *[ERROR] * min(ok_after, 50), retry=POLICY, for_ever=ok_after > 50)
    inbox = shop.inbox()
    for number in range(4):
        inbox.receive(placed(number), 1)
    return inbox, listener


def seconds_left(shop: Shop, pauses: SqlAlchemyPauseStore) -> list[float]:
    return [((pause.until or 0) - shop.clock.microseconds()) / 1e6 for pause in pauses.all()]


def test_listener_pauses_itself_at_the_run_that_fills_the_measure(shop: Shop, pauses: SqlAlchemyPauseStore) -> None:
    listener = Raising(shop, ERROR, retry=POLICY, for_ever=True)
    inbox, found = shop.inbox(), []

    for number in range(6):
        inbox.receive(placed(number), 1)
        found.append(len(pauses.all()))

    assert found == [0, 0, 0, 1, 1, 1]
    assert listener.runs == [0, 1, 2, 3]
    assert [row.reason for row in shop.publications()] == ["failed"] * 4 + ["paused"] * 2


def test_listener_without_a_kill_switch_never_pauses_itself(shop: Shop, pauses: SqlAlchemyPauseStore) -> None:
    Raising(shop, ERROR, retry=RetryPolicy(kill_switch=None), for_ever=True)
    inbox = shop.inbox()

    for number in range(60):
        inbox.receive(placed(number), 1)

    assert pauses.all() == []


def test_runs_that_wait_by_their_own_wish_are_no_failures(shop: Shop, pauses: SqlAlchemyPauseStore) -> None:
    Raising(shop, RetryAfter(60), retry=POLICY, for_ever=True)
    inbox = shop.inbox()

    for number in range(10):
        inbox.receive(placed(number), 1)

    assert pauses.all() == []


def test_pause_tells_whose_why_and_how_long(shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock) -> None:
    with Log("paused itself for 30 s") as log:
        stopped(shop)

    [pause] = pauses.all()
    assert log.heard.is_set()
    assert (pause.target, pause.kind, pause.who) == ("kitchen.raise", PauseKind.KILL_SWITCH, "kitchen.raise")
    assert pause.reason == "50% or more of its last 4 runs failed"
    assert (pause.since, pause.until, pause.probes) == (clock.microseconds(), clock.microseconds() + 30_000_000, 0)


def test_nothing_is_tried_before_the_pause_is_over(shop: Shop, clock: FakeClock) -> None:
    inbox, listener = stopped(shop)
    inbox.receive(placed(9), 1)

    clock.advance(microseconds=29_999_999)
    is_due = inbox.has_due()
    found = inbox.run_due()

    assert (is_due, found, len(listener.runs)) == (False, False, 4)


def test_probe_that_completes_ends_the_pause_and_the_backlog_is_run(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    for number in range(10, 15):
        inbox.receive(placed(number), 1)
        clock.advance(microseconds=1)

    clock.advance(seconds=30)
    is_due = inbox.has_due()
    inbox.run_due()
    after_the_probe = (listener.runs[4:], pauses.all())
    while inbox.run_due():
        pass

    assert is_due
    assert after_the_probe == ([10], [])
    assert shop.tickets() == [10, 11, 12, 13, 14]


def test_pause_doubles_with_each_probe_that_fails_up_to_the_longest(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    inbox, listener = stopped(shop)
    lengths = []
    for number in range(4):
        inbox.receive(placed(10 + number), 1)

    for _ in range(4):
        lengths += seconds_left(shop, pauses)
        clock.advance(seconds=lengths[-1])
        inbox.has_due()
        while inbox.run_due():
            pass

    assert lengths == [30.0, 60.0, 100.0, 100.0]
    assert listener.runs[4:] == [10, 11, 12, 13]


@pytest.mark.parametrize("sends", [1, 2])
def test_fresh_event_is_the_probe_where_nothing_waits(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock, sends: int
) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    clock.advance(seconds=30)

    inbox.receive(placed(10), sends)
    inbox.receive(placed(11), 1)

    assert (listener.runs[4:], pauses.all(), shop.tickets()) == ([10, 11], [], [10, 11])


def test_probe_is_taken_by_one_of_two_processes(shop: Shop, clock: FakeClock) -> None:
    inbox, listener = stopped(shop)
    other = shop.inbox()
    other.has_due()
    for number in range(10, 14):
        inbox.receive(placed(number), 1)

    clock.advance(seconds=30)
    for process in (inbox, other):
        process.has_due()
    while any([inbox.run_due(), other.run_due()]):
        pass

    assert len(listener.runs) == 5


def test_probe_right_goes_to_one_of_many_takers(shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock) -> None:
    stopped(shop)
    clock.advance(seconds=30)
    together = threading.Barrier(8)

    def take(_: int) -> bool:
        together.wait(10)
        return pauses.take_probe("kitchen.raise", clock.microseconds() + 1)

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))

    assert sum(taken) == 1


def test_probe_is_not_taken_while_nothing_waits(shop: Shop, clock: FakeClock) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    clock.advance(seconds=30)

    inbox.has_due()
    inbox.run_due()
    inbox.receive(placed(10), 1)

    assert listener.runs[4:] == [10]


def test_pause_of_an_operator_is_never_probed(shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock) -> None:
    pauses.set(Pause("kitchen.raise", PauseKind.OPERATOR, "no gas", "ann", 0, clock.microseconds()))

    assert not pauses.take_probe("kitchen.raise", clock.microseconds() + 1)


def test_probe_that_is_never_heard_of_again_is_made_by_somebody_else(shop: Shop, clock: FakeClock) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    inbox.receive(placed(10), 1)
    clock.advance(seconds=30)
    inbox.pausing.take_probe("kitchen.raise")
    at_once = inbox.run_due()

    clock.advance(microseconds=PROBE_LEASE)
    inbox.has_due()
    later = inbox.run_due()

    assert (at_once, later, listener.runs[4:]) == (False, True, [10])


def test_run_that_had_begun_before_another_process_paused_the_listener_is_no_probe(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    Raising(shop, ERROR, retry=RetryPolicy())
    inbox, pause = shop.inbox(), Pause("kitchen.raise", PauseKind.KILL_SWITCH, "", "kitchen.raise", 0, 2**60)
    inbox.receive(placed(1), 1)
    clock.advance(seconds=1)

    def pause_elsewhere() -> None:
        pauses.set(pause)
        inbox.pausing.refresh()

    with arm("inbox.after_claim", pause_elsewhere):
        inbox.run_due()

    assert shop.tickets() == [1]
    assert pauses.all() == [pause]


def test_operator_ends_the_pause_of_a_listener_that_stopped_itself(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    inbox.receive(placed(10), 1)

    was_paused = operations.resume("kitchen.raise")
    inbox.has_due()
    inbox.run_due()

    assert (was_paused, listener.runs[4:]) == (True, [10])


def test_pause_of_an_operator_outranks_the_kill_switch(
    shop: Shop, operations: Operations, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    inbox, listener = stopped(shop)
    operations.pause("kitchen.raise", duration=None, who="ann", why="no gas")
    [pause] = pauses.all()
    pauses.set(replace(pause, kind=PauseKind.KILL_SWITCH, who="kitchen.raise"))
    inbox.has_due()

    clock.advance(hours=5)
    inbox.receive(placed(10), 1)
    inbox.has_due()
    inbox.run_due()

    assert ([found.who for found in pauses.all()], len(listener.runs)) == (["ann"], 4)


def test_listener_that_stopped_itself_is_not_probed_while_its_module_is_paused(
    shop: Shop, operations: Operations, clock: FakeClock
) -> None:
    inbox, listener = stopped(shop, ok_after=4)
    operations.pause("kitchen", duration=None, who="ann", why="no gas")
    inbox.has_due()

    clock.advance(hours=1)
    inbox.receive(placed(10), 1)
    is_due = inbox.has_due()
    inbox.run_due()

    assert (is_due, len(listener.runs)) == (False, 4)


def test_probe_that_completes_leaves_a_pause_that_an_operator_has_set_meanwhile(
    shop: Shop, operations: Operations, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    inbox, _ = stopped(shop, ok_after=4)
    clock.advance(seconds=30)
    shop.bus.signals.listener_completed.connect(
        pause := lambda _bus, **_: operations.pause("kitchen.raise", duration=None, who="ann", why="no gas")
    )

    inbox.receive(placed(10), 1)

    assert pause is not None
    assert [found.kind for found in pauses.all()] == [PauseKind.OPERATOR]


def test_kill_switch_pauses_where_an_operators_pause_is_over(
    shop: Shop, operations: Operations, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    Raising(shop, retry=POLICY)
    pauses.set(Pause("kitchen.raise", PauseKind.OPERATOR, "no gas", "ann", 0, clock.microseconds()))

    pauses.set(Pause("kitchen.raise", PauseKind.KILL_SWITCH, "", "kitchen.raise", 0, clock.microseconds() + 1))

    assert [found.kind for found in pauses.all()] == [PauseKind.KILL_SWITCH]


def test_build_without_the_kill_switch_frees_a_listener_at_its_next_probe(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    stopped(shop)
    shop.bus.unsubscribe("kitchen.raise")
    Raising(shop, ERROR, retry=RetryPolicy(kill_switch=None), for_ever=True)
    inbox = shop.inbox()
    inbox.has_due()

    clock.advance(seconds=30)
    inbox.receive(placed(10), 1)

    assert pauses.all() == []


def test_stopped_listener_shows_as_degraded(shop: Shop) -> None:
    stopped(shop)

    [found] = next(module.listeners for module in shop.bus.life.status() if module.module == "kitchen")

    assert found.paused is not None
    assert (found.paused.kind, found.is_degraded) == ("kill_switch", True)


def test_sibling_of_a_stopped_listener_runs_on(shop: Shop) -> None:
    inbox, _ = stopped(shop)
    sibling = Raising(shop, id="kitchen.sibling")

    inbox.receive(placed(10), 1)

    assert sibling.runs == [10]


def test_several_worker_threads_trip_the_switch_and_lose_nothing(
    shop: Shop, pauses: SqlAlchemyPauseStore, clock: FakeClock
) -> None:
    with Log("has paused itself") as log:

        @module_listener("kitchen.cook", retry=POLICY)
        def cook(event: WantedDish) -> None:
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            if not log.heard.is_set():
                raise ERROR

        shop.listen(cook)
        workers = Workers(shop.inbox(), 4, lambda *_: None, courtesy=Courtesy())
        workers.start()
        for number in range(40):
            workers.accept(placed(number), 1)
        until(lambda: len(shop.publications()) == 40)
        for _ in range(30):
            clock.advance(hours=1)
            workers.look_for_retries()
            until(workers.is_idle)
        workers.refuse()

    assert log.heard.is_set()
    assert sorted(shop.tickets()) == list(range(40))
    assert pauses.all() == []
