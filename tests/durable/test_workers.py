"""The threads that run a module's listeners, driven by hand."""

from __future__ import annotations

import threading
import time

import pytest

from bus import Envelope, StoppedError, module_listener
from bus.courtesy import Courtesy
from bus.inbox.workers import Workers
from bus.outbox.loop import RelayLoop
from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.faults import IO_ERROR, Log, Raising, failing_statements, until
from tests.durable.shop import Shop, WantedDish, placed


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


class Guest:
    """A thread of a transport that runs an envelope among a module's workers."""

    def __init__(self, workers: Workers, order_id: int) -> None:
        self.thread = threading.Thread(target=workers.run, args=(placed(order_id), 1))
        self.thread.start()

    def end(self) -> None:
        self.thread.join(10)
        assert not self.thread.is_alive()


class Gated:
    """A listener that waits in each run until it is let through."""

    def __init__(self, shop: Shop) -> None:
        self.begun: list[int] = []
        self.threads: list[threading.Thread] = []
        self.gate = threading.Semaphore(0)

        @module_listener("kitchen.wait")
        def wait(event: WantedDish) -> None:
            self.begun.append(event.order_id)
            self.threads.append(threading.current_thread())
            assert self.gate.acquire(timeout=10)

        shop.listen(wait)


def busy(shop: Shop, order_id: int) -> tuple[Gated, Workers, Guest]:
    """Return workers with one place, which a guest has taken with an order whose listener waits."""
    listener = Gated(shop)
    workers = Workers(shop.inbox(), 1, lambda *_: None, courtesy=Courtesy())
    guest = Guest(workers, order_id)
    until(lambda: listener.begun)
    return listener, workers, guest


def test_envelope_is_run_in_the_thread_that_brings_it_and_that_counts_as_a_worker_meanwhile(shop: Shop) -> None:
    listener, workers, guest = busy(shop, 7)
    meanwhile = workers.threads, workers.is_idle()
    listener.gate.release()
    guest.end()

    assert listener.threads == [guest.thread]
    assert meanwhile == ([guest.thread], False)
    assert (workers.threads, workers.is_idle()) == ([], True)


def test_no_more_envelopes_are_run_at_once_than_there_are_workers(shop: Shop) -> None:
    listener, workers, first = busy(shop, 1)
    second = Guest(workers, 2)
    second.thread.join(0.1)
    begun_beside = list(listener.begun)
    for guest in (first, second):
        listener.gate.release()
        guest.end()

    assert (begun_beside, listener.begun) == ([1], [1, 2])


def test_envelope_that_is_in_line_at_the_stop_is_refused_and_not_run(shop: Shop) -> None:
    listener, workers, first = busy(shop, 1)
    second = Guest(workers, 2)
    until(lambda: workers._in_line)

    refused = [envelope.id for envelope in workers.refuse()]
    second.end()
    listener.gate.release()
    first.end()

    assert (refused, listener.begun) == (["event-2"], [1])
    with pytest.raises(StoppedError):
        workers.run(placed(3), 1)


def test_stop_waits_for_what_the_thread_of_a_transport_runs(shop: Shop) -> None:
    listener, workers, guest = busy(shop, 7)
    workers.refuse()

    workers.wait(time.monotonic() + 0.05)
    left = [envelope.id for envelope in workers.unended()]
    threading.Timer(0.05, listener.gate.release).start()
    workers.wait(time.monotonic() + 10)

    assert left == ["event-7"]
    assert workers.unended() == []
    guest.end()


def test_retry_has_its_turn_among_envelopes_that_come_without_a_pause(shop: Shop, clock: FakeClock) -> None:
    listener, inbox = Raising(shop, ValueError("no dough")), shop.inbox()
    inbox.receive(placed(7), 1)
    clock.advance(hours=1)
    workers = Workers(inbox, 1, lambda *_: None, courtesy=Courtesy())
    workers.start()
    workers.look_for_retries()
    is_over = threading.Event()

    def bring() -> None:
        for number in range(100, 1000):
            if not is_over.is_set():
                workers.run(placed(number), 1)

    bringing = threading.Thread(target=bring)
    bringing.start()
    until(lambda: listener.runs.count(7) == 2)
    is_over.set()
    bringing.join(10)
    workers.refuse()
    workers.wait(time.monotonic() + 10)

    assert listener.runs.index(7, 1) < 100


def test_envelope_that_meets_an_outage_in_the_thread_of_a_transport_is_run_by_a_worker_when_that_is_over(
    shop: Shop,
) -> None:
    finished = threading.Event()
    shop.open_tickets()
    workers = Workers(shop.inbox(), 1, lambda *_: finished.set(), courtesy=Courtesy())
    workers.start()

    with Log("kitchen is away") as log, failing_statements(shop.kitchen, IO_ERROR):
        guest = Guest(workers, 7)
        log.heard.wait(10)
    guest.end()

    assert finished.wait(10)
    workers.refuse()
    workers.wait(time.monotonic() + 10)
    assert shop.tickets() == [7]


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
