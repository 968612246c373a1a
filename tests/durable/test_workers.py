"""The threads that run a module's listeners, driven by hand."""

from __future__ import annotations

import time

from bus import Envelope
from bus.inbox.workers import Workers
from bus.testing import FakeClock
from tests.durable.faults import Raising, until
from tests.durable.shop import Shop, placed


def test_envelope_that_waits_already_is_not_queued_again(shop: Shop) -> None:
    workers = Workers(shop.inbox(), 1, lambda *_: None)

    for sends in (1, 2, 3):
        workers.accept(placed(7), sends)

    assert [envelope.id for envelope in workers.stop(time.monotonic())] == ["event-7"]


def test_envelope_that_was_finished_may_come_again(shop: Shop) -> None:
    finished: list[tuple[str, str, bool]] = []

    def finish(module: str, envelope: Envelope, is_done: bool) -> None:
        finished.append((module, envelope.id, is_done))

    listener = Raising(shop)
    workers = Workers(shop.inbox(), 1, finish)
    workers.start()
    workers.accept(placed(7), 1)
    until(lambda: len(finished) == 1)
    workers.accept(placed(7), 2)
    until(lambda: len(finished) == 2)
    workers.stop(time.monotonic() + 10)

    assert finished == [("kitchen", "event-7", True)] * 2
    assert listener.runs == [7]


def test_retries_and_fresh_events_have_their_turns_one_after_the_other(shop: Shop, clock: FakeClock) -> None:
    listener, inbox = Raising(shop, *[ValueError("no dough")] * 3), shop.inbox()
    for number in range(3):
        inbox.receive(placed(number), 1)
    clock.advance(hours=1)
    finished: list[str] = []
    workers = Workers(inbox, 1, lambda _module, envelope, _done: finished.append(envelope.id))
    workers.look_for_retries()
    for number in range(10, 13):
        workers.accept(placed(number), 1)

    workers.start()
    until(lambda: len(listener.runs) == 9)
    workers.stop(time.monotonic() + 10)

    kinds = ["retry" if number < 10 else "fresh" for number in listener.runs[3:]]
    assert kinds == ["retry", "fresh"] * 3
