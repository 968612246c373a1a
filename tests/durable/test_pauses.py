"""Pauses by an operator: nothing runs, nothing is lost, and all is done when they are over."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event as sqlalchemy_event

from bus import BusError, EventBus, Operations, UnknownTargetError, operations_of
from bus.inbox.inbox import Inbox
from bus.inbox.pauses import Pause, PauseKind
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.testing import FakeClock
from tests.durable.faults import Raising, dead_letters, pass_time, until
from tests.durable.shop import Shop, placed

HOUR = timedelta(hours=1)


@pytest.fixture
def operations(shop: Shop) -> Operations:
    return operations_of(shop.bus)


@pytest.fixture
def listener(shop: Shop) -> Raising:
    return Raising(shop, id="kitchen.cook")


def looked(shop: Shop) -> Inbox:
    """Return an inbox, as another process has it, that has looked for pauses."""
    inbox = shop.inbox()
    inbox.has_due()
    return inbox


@pytest.mark.parametrize("target", ["kitchen.cook", "kitchen"])
def test_paused_listener_is_not_run_and_its_publications_wait(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock, target: str
) -> None:
    operations.pause(target, duration=None, who="ann", why="no gas")
    inbox = looked(shop)

    inbox.receive(placed(1), 1)
    inbox.receive(placed(2), 2)
    found = pass_time(inbox, clock, hours=30)

    assert (listener.runs, found) == ([], 0)
    assert {(row.state, row.reason, row.failures, row.starts) for row in shop.publications()} == {
        ("retrying", "paused", 0, 0)
    }


def test_resumed_listener_runs_what_has_waited_in_the_order_in_which_it_came(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock
) -> None:
    operations.pause("kitchen", duration=None, who="ann", why="no gas")
    inbox = looked(shop)
    for number in (3, 1, 2):
        inbox.receive(placed(number), 1)
        clock.advance(seconds=1)

    was_paused = operations.resume("kitchen")
    pass_time(inbox, clock)

    assert was_paused
    assert (listener.runs, shop.tickets()) == ([3, 1, 2], [3, 1, 2])


def test_pause_with_an_end_is_over_by_itself(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock
) -> None:
    pause = operations.pause("kitchen.cook", duration=HOUR, who="ann", why="no gas")
    inbox = looked(shop)
    inbox.receive(placed(1), 1)

    clock.advance(microseconds=3_599_999_999)
    is_early = inbox.has_due()
    clock.advance(microseconds=1)
    pass_time(inbox, clock)

    assert (pause.until or 0) - pause.since == 3_600_000_000
    assert (is_early, listener.runs) == (False, [1])
    assert operations.pauses() == []


def test_pause_of_one_listener_stops_no_other(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock
) -> None:
    other = Raising(shop, id="kitchen.bake")
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")
    inbox = looked(shop)

    inbox.receive(placed(1), 1)

    assert (listener.runs, other.runs) == ([], [1])


def test_retry_of_a_paused_listener_waits(shop: Shop, operations: Operations, clock: FakeClock) -> None:
    listener = Raising(shop, ValueError("no dough"), id="kitchen.cook")
    inbox = shop.inbox()
    inbox.receive(placed(1), 1)
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")

    pass_time(inbox, clock, hours=3)
    runs_meanwhile = list(listener.runs)
    operations.resume("kitchen.cook")
    pass_time(inbox, clock)

    assert (runs_meanwhile, listener.runs) == ([1], [1, 1])
    assert dead_letters(shop).attempts("kitchen.cook", "event-1")[0].outcome == "failed"


def test_pause_empties_the_publishers_outbox_and_resuming_loses_nothing(
    shop: Shop, operations: Operations, listener: Raising
) -> None:
    shop.bus.start()
    operations.pause("kitchen", duration=None, who="ann", why="no gas")
    shop.place(*range(30))
    until(lambda: not shop.owed())
    states = {row.reason for row in shop.publications()}
    runs_meanwhile = list(listener.runs)

    operations.resume("kitchen")
    shop.bus.drain()

    assert (states, runs_meanwhile) == ({"paused"}, [])
    assert sorted(listener.runs) == list(range(30))


def test_pause_that_was_set_while_the_process_was_down_holds_from_its_start_on(
    shop: Shop, operations: Operations, listener: Raising
) -> None:
    shop.place(1)
    pauses = SqlAlchemyPauseStore(shop.kitchen, shop.clock)
    pauses.set(Pause("kitchen.cook", PauseKind.OPERATOR, "no gas", "ann", 0, None))

    threads: list[threading.Thread] = []

    def paused(_bus: object, **_details: object) -> None:
        threads.append(threading.current_thread())

    shop.bus.signals.paused.connect(paused)
    shop.bus.start()
    until(lambda: not shop.owed())

    assert listener.runs == []
    # It is known before any thread runs a listener, not with the first sweep.
    assert threads == [threading.current_thread()]


def test_another_process_sees_a_pause_and_its_end_at_its_next_look(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock
) -> None:
    other = looked(shop)
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")

    other.receive(placed(1), 1)
    other.has_due()
    other.receive(placed(2), 1)
    operations.resume("kitchen.cook")
    other.receive(placed(3), 1)
    other.has_due()
    other.receive(placed(4), 1)

    assert listener.runs == [1, 4]


def test_look_that_began_before_a_pause_does_not_undo_it(shop: Shop, operations: Operations, listener: Raising) -> None:
    inbox, looking, paused = shop.inbox(), threading.Event(), threading.Event()

    def wait_for_the_pause(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "bus_pause" in statement and not looking.is_set():
            looking.set()
            paused.wait(0.2)

    old_look = threading.Thread(target=inbox.pausing.refresh)
    sqlalchemy_event.listen(shop.kitchen.read_engine, "after_cursor_execute", wait_for_the_pause)
    old_look.start()
    looking.wait(10)
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")
    inbox.pausing.refresh()
    paused.set()
    old_look.join(10)

    assert inbox.pausing.pause_of("kitchen.cook") is not None


def test_second_pause_replaces_the_first(shop: Shop, operations: Operations, listener: Raising) -> None:
    operations.pause("kitchen.cook", duration=HOUR, who="ann", why="no gas")
    operations.pause("kitchen.cook", duration=None, who="bob", why="no oven")

    assert [(pause.who, pause.reason, pause.until) for pause in operations.pauses()] == [("bob", "no oven", None)]


def test_resuming_what_is_not_paused_says_so(operations: Operations, listener: Raising, clock: FakeClock) -> None:
    never = operations.resume("kitchen.cook")
    operations.pause("kitchen.cook", duration=HOUR, who="ann", why="no gas")
    clock.advance(hours=1)
    ended = operations.resume("kitchen.cook")

    assert (never, ended) == (False, False)


def test_unknown_target_is_refused_with_the_nearest_name(operations: Operations, listener: Raising) -> None:
    with pytest.raises(UnknownTargetError, match=r"did you mean 'kitchen\.cook'"):
        operations.pause("kitchen.cock", duration=None, who="ann", why="")
    with pytest.raises(UnknownTargetError, match=r"there are order, kitchen, kitchen\.cook"):
        operations.resume("bar")


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1)])
def test_pause_that_would_be_over_before_it_began_is_refused(
    operations: Operations, listener: Raising, duration: timedelta
) -> None:
    with pytest.raises(BusError, match="longer than nothing"):
        operations.pause("kitchen.cook", duration=duration, who="ann", why="no gas")


def test_pause_of_a_removed_listener_can_be_ended(shop: Shop, operations: Operations, listener: Raising) -> None:
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")
    shop.bus.unsubscribe("kitchen.cook")

    assert operations.resume("kitchen.cook")


def test_pausing_and_resuming_are_announced_once_by_each_process(
    shop: Shop, operations: Operations, listener: Raising
) -> None:
    told: list[str] = []

    def paused(_bus: object, *, target: str, pause: Pause) -> None:
        told.append(f"{target} paused by {pause.who}")

    def resumed(_bus: object, *, target: str) -> None:
        told.append(f"{target} resumed")

    shop.bus.signals.paused.connect(paused)
    shop.bus.signals.resumed.connect(resumed)
    operations.pause("kitchen.cook", duration=None, who="ann", why="no gas")
    operations.pause("kitchen", duration=None, who="bob", why="fire")
    operations.resume("kitchen.cook")

    assert told == ["kitchen.cook paused by ann", "kitchen paused by bob", "kitchen.cook resumed"]


def test_status_shows_who_has_paused_why_and_for_how_long(
    shop: Shop, operations: Operations, listener: Raising, clock: FakeClock
) -> None:
    operations.pause("kitchen.cook", duration=HOUR, who="ann", why="no gas")
    clock.advance(minutes=45)

    [found] = next(module.listeners for module in shop.bus.life.status() if module.module == "kitchen")

    assert found.paused is not None
    assert (found.paused.who, found.paused.reason, found.paused.kind) == ("ann", "no gas", "operator")
    assert found.paused.seconds_left == 900
    assert not found.is_degraded


def test_pause_of_a_module_shows_at_each_of_its_listeners(
    shop: Shop, operations: Operations, listener: Raising
) -> None:
    Raising(shop, id="kitchen.bake")
    operations.pause("kitchen", duration=None, who="ann", why="fire")

    found = next(module.listeners for module in shop.bus.life.status() if module.module == "kitchen")

    assert [status.paused.target for status in found if status.paused] == ["kitchen", "kitchen"]


def test_bus_without_modules_has_nothing_to_operate_on() -> None:
    with pytest.raises(BusError, match="assemble"):
        operations_of(EventBus())
