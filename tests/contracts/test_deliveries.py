"""How often an envelope was sent, as a module hears it over a broker: what may have been delivered before is marked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bus import Envelope
from bus.testing.contracts.samples import sample
from bus.testing.contracts.transport import Station
from bus.transport.dramatiq.brokers import connection_to
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.durable.faults import until
from tests.threads import join_bus_threads


@contextmanager
def kitchen_over(url: str, application: str) -> Iterator[Station]:
    """Take in what comes for the kitchen."""
    transport = DramatiqTransport(url, application=application, threads=1)
    yield Station(transport, "kitchen")
    transport.close()
    transport.end()


def send(url: str, application: str, *, sends: int) -> None:
    """Put an envelope into the kitchen's queue, and go."""
    transport = DramatiqTransport(url, application=application)
    transport.open({}, lambda *_: None, lambda *_: None)
    transport.send("kitchen", sample(1), sends)
    until(lambda: not transport.unsent)
    transport.close()
    transport.end()


def take_and_give_back(url: str, queue: str) -> None:
    """Have what is in a queue delivered to somebody who does not do it."""
    connection = connection_to(url, "another")
    connection.broker.declare_queue(queue)
    consumer = connection.broker.consume(queue, 1, 20)
    consumer.nack(next(message for message in consumer if message is not None))
    consumer.close()
    connection.reset()


class Stuck:
    """A module whose listener does not come to its end until it is let."""

    def __init__(self) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()

    def accept(self, envelope: Envelope, sends: int) -> None: ...

    def run(self, envelope: Envelope, sends: int) -> None:
        self.has_begun.set()
        assert self.may_end.wait(30)

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None: ...


def test_transport_that_has_ended_takes_nothing_though_a_listener_of_its_own_goes_on(
    broker_url: str, application: str
) -> None:
    stuck, transport = Stuck(), DramatiqTransport(broker_url, application=application, threads=1)
    transport.open({"kitchen": stuck}, lambda *_: None, lambda *_: None)
    send(broker_url, application, sends=1)
    assert stuck.has_begun.wait(10)

    transport.close()
    transport.end()
    join_bus_threads(0.5)
    for sends in (2, 3):
        send(broker_url, application, sends=sends)
    with kitchen_over(broker_url, application) as kitchen:
        until(lambda: len(kitchen.arrived["kitchen"]) >= 2)

    assert {sends for _, sends in kitchen.arrived["kitchen"]} >= {2, 3}
    stuck.may_end.set()


def test_first_delivery_of_a_first_send_is_one(broker_url: str, application: str) -> None:
    send(broker_url, application, sends=1)

    with kitchen_over(broker_url, application) as kitchen:
        assert kitchen.has_arrived("kitchen", 1, 10)

    assert kitchen.arrived["kitchen"] == [(sample(1), 1)]


def test_later_send_stays_one(broker_url: str, application: str) -> None:
    send(broker_url, application, sends=3)

    with kitchen_over(broker_url, application) as kitchen:
        assert kitchen.has_arrived("kitchen", 1, 10)

    assert kitchen.arrived["kitchen"] == [(sample(1), 3)]


def test_first_send_that_was_delivered_before_counts_as_a_later_one(broker_url: str, application: str) -> None:
    send(broker_url, application, sends=1)
    take_and_give_back(broker_url, f"{application}.kitchen")

    with kitchen_over(broker_url, application) as kitchen:
        assert kitchen.has_arrived("kitchen", 1, 10)

    assert kitchen.arrived["kitchen"] == [(sample(1), 2)]


def test_first_send_over_a_broker_that_cannot_tell_counts_as_a_later_one(application: str) -> None:
    with kitchen_over("dramatiq+stub://", application) as kitchen:
        kitchen.transport.send("kitchen", sample(1), 1)
        assert kitchen.has_arrived("kitchen", 1, 10)

    assert kitchen.arrived["kitchen"] == [(sample(1), 2)]
