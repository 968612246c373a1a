"""The thread that sends, on a broker that takes some things and refuses others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from dramatiq import Broker, Message
from dramatiq.brokers.stub import StubBroker

from bus.errors import BrokerAwayError
from bus.transport.dramatiq.backoff import FIRST_WAIT, LONGEST_WAIT, Backoff
from bus.transport.dramatiq.sender import AT_ONCE, Outgoing, Sender
from bus.transport.dramatiq.signing import Signer
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.durable.faults import Log, until
from tests.own_broker import free_port


class Moody:
    """A broker that does what it is in the mood for, and counts what it was asked for."""

    kind = "a moody one"
    broker: Broker = StubBroker(middleware=[])

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)
        self.asked = {"probe": 0, "keep_alive": 0, "send": 0}

    def another(self) -> Broker:
        return StubBroker(middleware=[])

    def probe(self) -> None:
        self._ask("probe")

    def send(self, messages: Sequence[Message[Any]]) -> None:
        self._ask("send")

    def keep_alive(self, served: Collection[str]) -> int:
        self._ask("keep_alive")
        return 1

    def workers(self, queue: str) -> int:
        return 1

    def reset(self) -> None: ...

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if what in self.refused:
            raise OSError("not today")


class Hasty(Backoff):
    """Notes how long it should have waited, and does not wait."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        super().__init__(uniform)
        self.waits: list[float] = []

    def wait(self) -> float:
        self.waits.append(super().wait())
        return 0.001


@contextmanager
def sending(broker: Moody, backoff: Backoff) -> Iterator[Sender]:
    sender = Sender(broker, "moody", acks_of=str, signer=Signer(), served=(), backoff=backoff)
    sender.start()
    yield sender
    sender.end(10)


def is_away(sender: Sender) -> bool:
    """Have something sent, if the sender takes it, and return what is known of the broker."""
    with suppress(BrokerAwayError):
        sender.put(Outgoing(Message("kitchen", "kitchen", (), {}, {}), lambda: None))
    return sender.is_away


@pytest.mark.parametrize("refused", ["probe", "keep_alive"])
def test_scenario_31_broker_that_is_away_is_asked_after_waits_that_double_up_to_five_seconds(refused: str) -> None:
    backoff = Hasty(lambda _shortest, longest: longest)

    with sending(Moody(refused), backoff):
        until(lambda: len(backoff.waits) >= 9)

    assert backoff.waits[:9] == [FIRST_WAIT, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_WAIT, LONGEST_WAIT, LONGEST_WAIT]


def test_scenario_31_processes_ask_at_different_moments_of_the_second_half_of_each_wait() -> None:
    shortest, longest = (Backoff(lambda *bounds, pick=pick: pick(bounds)) for pick in (min, max))

    for backoff in (shortest, longest):
        backoff.lengthen()
        backoff.lengthen()

    assert (shortest.wait(), longest.wait()) == (FIRST_WAIT, 2 * FIRST_WAIT)


@pytest.mark.parametrize("refused", ["keep_alive", "send"])
def test_scenario_31_broker_that_answers_and_takes_nothing_is_told_once_and_waited_for(refused: str) -> None:
    broker, backoff = Moody(refused), Hasty(lambda _shortest, longest: longest)

    with Log("away") as log, sending(broker, backoff) as sender:
        until(lambda: is_away(sender) and broker.asked[refused] >= 9)

    assert len(log.lines) == 1
    assert max(backoff.waits) == LONGEST_WAIT


@pytest.mark.parametrize("refused", ["probe", "keep_alive", "send"])
def test_scenario_31_broker_is_back_when_it_does_what_it_had_refused(refused: str) -> None:
    broker = Moody(refused)

    with Log("") as log, sending(broker, Hasty(lambda _shortest, longest: longest)) as sender:
        until(lambda: is_away(sender))
        broker.refused.clear()
        until(lambda: not is_away(sender))

    assert log.lines == ["the broker at moody is away: OSError: not today", "the broker at moody answers again"]


def test_broker_that_nobody_has_asked_yet_is_not_ready(application: str) -> None:
    transport = DramatiqTransport(f"dramatiq+redis://127.0.0.1:{free_port()}", application=application)
    transport.open({}, lambda *_: None, lambda *_: None)

    is_ready = transport.is_ready()
    transport.close()
    transport.end()

    assert not is_ready


def test_messages_that_come_fast_share_what_the_broker_is_asked() -> None:
    broker = Moody()
    with sending(broker, Backoff()) as sender:
        for _ in range(20 * AT_ONCE):
            sender.put(Outgoing(Message("kitchen", "kitchen", (), {}, {}), lambda: None))
        until(lambda: not sender.unsent)

    # One by one, or at every wake-up, it would be asked hundreds of times.
    assert broker.asked["send"] < 200


def test_message_that_comes_alone_waits_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.transport.dramatiq.sender.PACE", 3600.0)
    broker = Moody()

    with sending(broker, Backoff()) as sender:
        sender.put(Outgoing(Message("kitchen", "kitchen", (), {}, {}), lambda: None))
        until(lambda: broker.asked["send"] == 1)

        # The one after it would wait for an hour, unless the sender is to end.
        sender.put(Outgoing(Message("kitchen", "kitchen", (), {}, {}), lambda: None))
        assert sender.unsent == 1
    assert broker.asked["send"] == 2
