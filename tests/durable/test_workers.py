"""The threads that run a module's listeners, driven by hand."""

from __future__ import annotations

import time

from bus import Envelope
from bus.courtesy import Courtesy
from bus.inbox.workers import Workers
from bus.outbox.loop import RelayLoop
from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.faults import IO_ERROR, Log, Raising, failing_statements, until
from tests.durable.shop import Shop, placed


def test_envelope_that_waits_already_is_not_queued_again(shop: Shop) -> None:
    workers = Workers(shop.inbox(), 1, lambda *_: None, courtesy=Courtesy())

    for sends in (1, 2, 3):
        workers.accept(placed(7), sends)

    assert [envelope.id for envelope in workers.refuse()] == ["event-7"]


def test_envelope_that_was_finished_may_come_again(shop: Shop) -> None:
    finished: list[tuple[str, str, bool]] = []

    def finish(module: str, envelope: Envelope, is_done: bool) -> None:
        finished.append((module, envelope.id, is_done))

    listener = Raising(shop)
    workers = Workers(shop.inbox(), 1, finish, courtesy=Courtesy())
    workers.start()
    workers.accept(placed(7), 1)
    until(lambda: len(finished) == 1)
    workers.accept(placed(7), 2)
    until(lambda: len(finished) == 2)
    workers.refuse()
    workers.wait(time.monotonic() + 10)

    assert finished == [("kitchen", "event-7", True)] * 2
    assert listener.runs == [7]


def test_retries_and_fresh_events_have_their_turns_one_after_the_other(shop: Shop, clock: FakeClock) -> None:
    listener, inbox = Raising(shop, *[ValueError("no dough")] * 3), shop.inbox()
    for number in range(3):
        inbox.receive(placed(number), 1)
    clock.advance(hours=1)
    finished: list[str] = []
    workers = Workers(inbox, 1, lambda _module, envelope, _done: finished.append(envelope.id), courtesy=Courtesy())
    workers.look_for_retries()
    for number in range(10, 13):
        workers.accept(placed(number), 1)

    workers.start()
    until(lambda: len(listener.runs) == 9)
    workers.refuse()
    workers.wait(time.monotonic() + 10)

    kinds = ["retry" if number < 10 else "fresh" for number in listener.runs[3:]]
    assert kinds == ["retry", "fresh"] * 3


def test_retry_that_meets_an_outage_waits_for_its_end_and_needs_no_other_look(shop: Shop, clock: FakeClock) -> None:
    listener, inbox = Raising(shop, ValueError("no dough")), shop.inbox()
    inbox.receive(placed(7), 1)
    clock.advance(hours=1)
    workers = Workers(inbox, 1, lambda *_: None, courtesy=Courtesy())
    workers.look_for_retries()

    with Log("kitchen is away") as log:
        with failing_statements(shop.kitchen, IO_ERROR):
            workers.start()
            log.heard.wait(10)
        until(workers.is_idle)
    workers.refuse()
    workers.wait(time.monotonic() + 10)

    assert [line.split(",")[0] for line in log.lines] == [
        "the database of kitchen is away",
        "the database of kitchen is back",
    ]
    assert (listener.runs, shop.tickets()) == ([7, 7], [7])


def test_relay_tells_once_that_it_cannot_finish_a_pass_and_once_that_it_can_again(shop: Shop, belt: Belt) -> None:
    failures = iter([ValueError("no"), ValueError("no")])

    def look() -> None:
        for failure in failures:
            raise failure

    loop = RelayLoop(belt.relay.of["kitchen"], look_for_retries=look)
    with Log("works again") as log:
        loop.thread.start()
        log.heard.wait(10)
    loop.end(lambda: None)
    loop.thread.join(10)

    assert log.lines == [
        "the relay of kitchen could not finish a pass; it tries again: ValueError",
        "the relay of kitchen works again",
    ]
