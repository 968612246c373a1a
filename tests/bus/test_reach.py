"""Noticing that a broker is away, and that a module has no worker."""

from __future__ import annotations

from typing import Any

import pytest

from bus.inbox.announcements import Announcements
from bus.outbox.flow import Flow
from bus.reach import SILENCE, Reach
from bus.signals import BusSignals
from bus.transport.inprocess import InProcessTransport


class Elsewhere(InProcessTransport):
    """A transport to other processes, whose broker comes and goes."""

    is_local = False
    answers = True

    def is_ready(self) -> bool:
        return self.answers


class Watched:
    """A process that sends to the kitchen and the bill, and what it is told."""

    def __init__(self, transport: InProcessTransport) -> None:
        signals = BusSignals()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.transport = transport
        self.flow = Flow()
        self.now = 0.0
        self.reach = Reach(
            transport, self.flow, ("kitchen", "bill"), Announcements(signals, self), now=lambda: self.now
        )
        for name in ("broker_away", "broker_back", "unserved", "served"):
            receive = self._receiving(name)
            vars(signals)[name].connect(receive, weak=False)

    def send(self, *event_ids: str, target: str = "kitchen") -> None:
        self.flow.reserve(target, len(event_ids))
        self.flow.take(target, len(event_ids), list(event_ids))
        for event_id in event_ids:
            self.flow.leave(target, event_id)

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.now += 1
            self.reach.look()

    def _receiving(self, name: str) -> Any:
        return lambda _sender, **details: self.told.append((name, details))


@pytest.fixture
def watched() -> Watched:
    watched = Watched(Elsewhere())
    watched.flow.open()
    return watched


def test_module_that_acknowledges_nothing_for_half_a_minute_has_no_worker(watched: Watched) -> None:
    watched.send("1", "2")
    watched.pass_time(SILENCE)
    before = list(watched.told)
    watched.pass_time(2)

    assert before == []
    assert watched.told == [("unserved", {"target": "kitchen"})]
    assert watched.reach.unserved() == ["kitchen"]


def test_module_that_acknowledges_something_has_a_worker_however_much_it_owes(watched: Watched) -> None:
    watched.send(*map(str, range(10)))
    for number in range(10):
        watched.pass_time(SILENCE - 1)
        watched.flow.release("kitchen", [str(number)])

    assert watched.told == []


def test_silence_begins_with_what_is_sent_and_not_with_the_last_answer(watched: Watched) -> None:
    watched.send("1")
    watched.pass_time(1)
    watched.flow.release("kitchen", ["1"])
    watched.pass_time(2 * SILENCE)
    watched.send("2")
    watched.pass_time(SILENCE - 1)

    assert watched.told == []


def test_module_that_acknowledges_again_is_told_once(watched: Watched) -> None:
    watched.send("1", "2")
    watched.pass_time(SILENCE + 2)
    watched.flow.release("kitchen", ["1"])
    watched.pass_time(3)

    assert watched.told == [("unserved", {"target": "kitchen"}), ("served", {"target": "kitchen"})]
    assert watched.reach.unserved() == []


def test_modules_are_told_apart(watched: Watched) -> None:
    watched.send("1", target="bill")
    watched.send("2")
    watched.pass_time(SILENCE - 1)
    watched.flow.release("kitchen", ["2"])
    watched.pass_time(3)

    assert watched.reach.unserved() == ["bill"]


def test_broker_that_is_away_and_back_is_told_once_each(watched: Watched) -> None:
    assert isinstance(watched.transport, Elsewhere)
    watched.transport.answers = False
    watched.pass_time(3)
    watched.transport.answers = True
    watched.pass_time(3)

    assert watched.told == [("broker_away", {}), ("broker_back", {})]


def test_modules_are_not_blamed_for_a_broker_that_is_away(watched: Watched) -> None:
    assert isinstance(watched.transport, Elsewhere)
    watched.send("1")
    watched.pass_time(SILENCE - 1)
    watched.transport.answers = False
    watched.pass_time(2 * SILENCE)
    watched.transport.answers = True
    watched.pass_time(SILENCE - 1)

    assert watched.reach.unserved() == []


def test_forked_child_begins_anew(watched: Watched) -> None:
    watched.send("1")
    watched.pass_time(SILENCE + 2)
    watched.reach.renew()

    assert watched.reach.unserved() == []


def test_one_process_reaches_itself() -> None:
    watched = Watched(InProcessTransport())
    watched.flow.open()
    watched.send("1")
    watched.pass_time(2 * SILENCE)

    assert watched.told == []
