"""A transport that delivers everything twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus import Envelope, StoppedError
from bus.testing import RepeatingTransport
from bus.transport.inprocess import InProcessTransport
from tests.durable.shop import Shop, placed


@pytest.fixture(params=[False, True], ids=["in a row", "after all"])
def transport(request: pytest.FixtureRequest) -> RepeatingTransport:
    return RepeatingTransport(InProcessTransport(), after_all=request.param)


@pytest.fixture
def twice(database_url: str, transport: RepeatingTransport) -> Iterator[Shop]:
    shop = Shop(database_url, transport=transport)
    yield shop
    shop.close()


def test_effects_happen_once_though_every_event_comes_twice(twice: Shop, transport: RepeatingTransport) -> None:
    twice.open_tickets()

    twice.place(1, 2, 3)
    twice.bus.drain()

    assert sorted(twice.tickets()) == [1, 2, 3]
    assert transport.repeated == 3


class Desk:
    """Receives, and acknowledges when it is told to."""

    def __init__(self, transport: RepeatingTransport) -> None:
        self.transport = transport
        self.arrived: list[str] = []
        self.heard: list[str] = []
        transport.open({"kitchen": self}, lambda _target, _source, id: self.heard.append(id), lambda *_: None)

    def accept(self, envelope: Envelope, sends: int) -> None:
        self.arrived.append(envelope.id)

    def run(self, envelope: Envelope, sends: int) -> None: ...

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None: ...

    def acknowledge(self, *order_ids: int) -> None:
        for order_id in order_ids:
            self.transport.acknowledge("kitchen", placed(order_id))


def test_second_delivery_follows_the_first_acknowledgement() -> None:
    desk = Desk(RepeatingTransport(InProcessTransport()))
    for order_id in (1, 2):
        desk.transport.send("kitchen", placed(order_id), 1)

    desk.acknowledge(1)

    assert desk.arrived == ["event-1", "event-2", "event-1"]


def test_second_deliveries_wait_for_every_first_one_when_they_come_after_all() -> None:
    desk = Desk(RepeatingTransport(InProcessTransport(), after_all=True))
    for order_id in (1, 2):
        desk.transport.send("kitchen", placed(order_id), 1)

    desk.acknowledge(1)
    before = list(desk.arrived)
    desk.acknowledge(2)

    assert before == ["event-1", "event-2"]
    assert desk.arrived == ["event-1", "event-2", "event-1", "event-2"]


def test_publisher_hears_of_the_second_acknowledgement_alone(transport: RepeatingTransport) -> None:
    desk = Desk(transport)
    transport.send("kitchen", placed(1), 1)

    desk.acknowledge(1)
    after_the_first = list(desk.heard)
    desk.acknowledge(1)

    assert (after_the_first, desk.heard) == ([], ["event-1"])


def test_send_that_fails_holds_no_second_delivery_back() -> None:
    desk = Desk(RepeatingTransport(InProcessTransport(), after_all=True))
    with pytest.raises(StoppedError):
        desk.transport.send("cellar", placed(1), 1)

    desk.transport.send("kitchen", placed(2), 1)
    desk.acknowledge(2)

    assert desk.arrived == ["event-2", "event-2"]


def test_what_was_held_at_the_close_is_not_repeated_after_it() -> None:
    desk = Desk(RepeatingTransport(InProcessTransport(), after_all=True))
    for order_id in (1, 2):
        desk.transport.send("kitchen", placed(order_id), 1)
    desk.acknowledge(1)

    desk.transport.close()
    successor = Desk(desk.transport)
    successor.acknowledge(2)

    assert (successor.arrived, successor.heard) == ([], ["event-2"])
