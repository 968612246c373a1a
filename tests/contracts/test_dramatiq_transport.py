"""The transport over a broker: its contract, what is no envelope, and a broker that is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message

from bus.errors import BrokerAwayError, BusError, StoppedError
from bus.testing.contracts import TransportContract
from bus.testing.contracts.samples import sample
from bus.testing.contracts.transport import Station
from bus.transport.dramatiq.messages import delivery
from bus.transport.dramatiq.signing import Signer
from bus.transport.dramatiq.transport import DramatiqTransport
from bus.wire import write_envelope
from tests.contracts.queue import Queue
from tests.durable.faults import until
from tests.gate import Gate
from tests.threads import join_bus_threads


@pytest.fixture(autouse=True)
def nothing_goes_on() -> Iterator[None]:
    """Let what is closed come to its end, with its gate open: whoever looks for threads next shall find none."""
    yield
    join_bus_threads(10.0)


class TestDramatiqTransport(TransportContract):
    @pytest.fixture
    def transport(self, any_broker_url: str, application: str) -> DramatiqTransport:
        return DramatiqTransport(any_broker_url, application=application, threads=1)


@pytest.fixture
def transport(any_broker_url: str, application: str) -> DramatiqTransport:
    return DramatiqTransport(any_broker_url, application=application, threads=1)


@pytest.fixture
def station(transport: DramatiqTransport) -> Iterator[Station]:
    yield Station(transport, "order", "kitchen")
    transport.close()
    transport.end()


@pytest.fixture
def served(broker_url: str, application: str) -> Iterator[Station]:
    """Open the transport on a broker with a server, on which the kitchen has acknowledged an envelope."""
    transport = DramatiqTransport(broker_url, application=application, threads=1)
    station = Station(transport, "order", "kitchen")
    transport.send("kitchen", sample(0), 1)
    assert station.has_heard(1, 10)
    yield station
    transport.close()
    transport.end()


def kitchen_of(station: Station, application: str) -> Queue:
    assert isinstance(station.transport, DramatiqTransport)
    return Queue(station.transport.broker, f"{application}.kitchen")


WRITTEN = write_envelope(sample(1)).decode()

NO_ENVELOPES = {
    "nothing": (),
    "another kind": ("order", "pizza"),
    "truncated": ("deliver", WRITTEN[:-9], 1),
    "no JSON": ("deliver", "\x00\x01", 1),
    "no number of sends": ("deliver", WRITTEN, "once"),
    "never sent": ("deliver", WRITTEN, 0),
    "another version": ("deliver", WRITTEN.replace('"1.0"', '"9.9"'), 1),
    "lone surrogate": ("deliver", "\udc80", 1),
    "acknowledges no ids": ("acknowledge", "kitchen", [1, 2]),
    "strange, but not in base64": ("strange", "a"),
    "strange, but not in ASCII": ("strange", "ä"),
    "a list in a list": ("deliver", [[WRITTEN]], 1),
}


@pytest.mark.parametrize("arguments", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_scenario_34_message_that_is_no_envelope_goes_to_quarantine_and_its_neighbours_arrive(
    station: Station, transport: DramatiqTransport, application: str, arguments: tuple[object, ...]
) -> None:
    queue = f"{application}.kitchen"
    for number in range(20):
        transport.send("kitchen", sample(number), 1)
    until(lambda: len(station.firsts("kitchen")) == 20)
    transport.broker.enqueue(Message(queue_name=queue, actor_name=queue, args=arguments, kwargs={}, options={}))
    for number in range(20, 39):
        transport.send("kitchen", sample(number), 1)

    assert station.has_arrived("kitchen", 39, 10)
    until(lambda: station.kept["kitchen"])
    assert len(station.kept["kitchen"]) == 1


def test_scenario_34_envelope_among_acknowledgements_goes_to_quarantine(
    station: Station, transport: DramatiqTransport
) -> None:
    queue = transport.acks_of("kitchen")

    transport.broker.enqueue(Message(queue, queue, ("deliver", WRITTEN, 1), {}, {}))

    until(lambda: station.kept["kitchen"])
    assert station.firsts("kitchen") == []


STRANGE = {
    "garbage": b"\x00\xff\xfe",
    "half a message": Message("a", "a", (), {}, {}).encode()[:-9],
    "too large": b"x" * 3_000_000,
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_scenario_34_bytes_that_are_no_message_go_to_quarantine_and_leave_the_queue(
    served: Station, application: str, data: bytes
) -> None:
    queue = kitchen_of(served, application)
    for number in range(1, 20):
        served.transport.send("kitchen", sample(number), 1)
    queue.put(data)
    for number in range(20, 39):
        served.transport.send("kitchen", sample(number), 1)

    assert served.has_arrived("kitchen", 39, 10)
    until(lambda: served.kept["kitchen"])
    until(lambda: queue.count() == 0)
    assert served.kept["kitchen"] == [data]


FOREIGN: dict[str, dict[str, Any]] = {
    "another actor": {"actor_name": "pizza"},
    "another queue": {"queue_name": "pizza"},
    "for later": {"options": {"eta": 4_102_444_800_000}},
    "with names": {"kwargs": {"dish": "pizza"}},
    "with a pipeline": {"options": {"pipe_target": {"actor_name": "pizza"}}},
}


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN)
def test_scenario_34_message_of_somebody_else_goes_to_quarantine_and_leaves_the_queue(
    served: Station, application: str, changes: dict[str, Any]
) -> None:
    queue = kitchen_of(served, application)
    fields = {"queue_name": queue.name, "actor_name": queue.name, "args": (), "kwargs": {}, "options": {}}
    data = Message(**{**fields, **changes}).encode()

    queue.put(data)
    served.transport.send("kitchen", sample(1), 1)

    assert served.has_arrived("kitchen", 2, 10)
    until(lambda: served.kept["kitchen"])
    until(lambda: queue.count() == 0)
    assert served.kept["kitchen"] == [data]


def test_scenario_34_message_that_was_changed_on_its_way_goes_to_quarantine(
    any_broker_url: str, application: str
) -> None:
    transport = DramatiqTransport(any_broker_url, application=application, threads=1, signing_keys=["k" * 32])
    station = Station(transport, "order", "kitchen")
    queue = f"{application}.kitchen"
    transport.send("kitchen", sample(1), 1)
    assert station.has_arrived("kitchen", 1, 10)

    transport.broker.enqueue(Message(queue, queue, ("deliver", WRITTEN, 1), {}, {}))
    transport.send("kitchen", sample(2), 1)

    assert station.has_arrived("kitchen", 2, 10)
    assert station.has_heard(2, 10)
    until(lambda: station.kept["kitchen"])
    assert station.kept["kitchen"] == [write_envelope(sample(1))]
    transport.close()
    transport.end()


def test_processes_of_an_application_are_counted_while_they_live(broker_url: str, application: str) -> None:
    taking, publishing = (DramatiqTransport(broker_url, application=application, threads=n) for n in (1, 0))
    Station(taking, "kitchen")
    until(lambda: taking.where().endswith("1 process"))
    Station(publishing, "order")

    until(lambda: publishing.where().endswith("2 processes"))
    until(lambda: publishing.workers("kitchen"))
    workers = publishing.workers("kitchen"), publishing.workers("order")
    taking.close()
    taking.end()
    publishing.close()
    publishing.end()

    assert workers == (1, 0)
    until(lambda: publishing.workers("kitchen") == 0)


def test_broker_that_is_away_knows_no_workers_and_says_so_before_anything_is_open(broker_url: str) -> None:
    with Gate(broker_url) as gate:
        transport = DramatiqTransport(gate.url)
        answered = transport.is_ready()
        gate.shut()

        assert answered
        assert not transport.is_ready()
        assert transport.workers("kitchen") is None


def test_message_says_what_its_envelope_says(application: str) -> None:
    message = delivery(f"{application}.kitchen", sample(1), 3, Signer())

    assert message.args == ("deliver", WRITTEN, 3)


def test_transport_that_only_publishes_takes_nothing_in(any_broker_url: str, application: str) -> None:
    if any_broker_url.startswith("dramatiq+stub"):
        pytest.skip("what a stub has, this process alone can take in")
    publishing = DramatiqTransport(any_broker_url, application=application)
    station = Station(publishing, "kitchen")

    publishing.send("kitchen", sample(1), 1)
    until(lambda: not publishing.unsent)

    assert not publishing.delivers_here
    assert not station.has_arrived("kitchen", 1, 0.2)
    publishing.close()
    publishing.end()


def test_scenario_31_broker_that_is_away_is_told_and_refuses_until_it_is_back(
    broker_url: str, application: str
) -> None:
    with Gate(broker_url) as gate:
        transport = DramatiqTransport(gate.url, application=application, threads=1)
        station = Station(transport, "order", "kitchen")
        transport.send("kitchen", sample(1), 1)
        assert station.has_arrived("kitchen", 1, 10)

        gate.shut()
        until(lambda: not sends(transport, 2))
        was_ready = transport.is_ready()
        gate.open()
        until(transport.is_ready)
        until(lambda: sends(transport, 3))

        assert not was_ready
        assert station.has_arrived("kitchen", 2, 20)
        transport.close()
        transport.end()
        join_bus_threads(10.0)


def test_scenario_31_what_was_taken_and_could_not_be_sent_is_told(broker_url: str, application: str) -> None:
    failed: list[tuple[str, str, str]] = []
    with Gate(broker_url) as gate:
        gate.shut()
        transport = DramatiqTransport(gate.url, application=application)
        transport.open({}, lambda *_: None, lambda *what: failed.append(what))

        sent = [number for number in range(3) if sends(transport, number)]
        until(lambda: not transport.is_ready())

        assert failed == [("kitchen", "order", sample(number).id) for number in sent]
        transport.close()
        transport.end()


def test_transport_that_is_not_open_takes_nothing(application: str) -> None:
    with pytest.raises(StoppedError):
        DramatiqTransport("dramatiq+stub://", application=application).send("kitchen", sample(1), 1)


@pytest.mark.parametrize("url", ["dramatiq+kafka://broker", "amqp+dramatiq://broker"])
def test_broker_that_is_unknown_is_refused(url: str) -> None:
    with pytest.raises(BusError, match="names no broker"):
        DramatiqTransport(url)


def test_password_is_not_shown(application: str) -> None:
    with pytest.raises(BusError) as caught:
        DramatiqTransport("dramatiq+kafka://user:secret@broker")

    assert "secret" not in str(caught.value)


def sends(transport: DramatiqTransport, number: int) -> bool:
    """Send a sample; False where the broker is away."""
    try:
        transport.send("kitchen", sample(number), 1)
    except BrokerAwayError:
        return False
    return True
