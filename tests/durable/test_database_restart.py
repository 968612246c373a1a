"""Scenario 14: the server of the modules' databases is restarted, with no word to its clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bus import module_listener
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Log, until
from tests.durable.shop import Shop, Ticket, WantedDish
from tests.own_server import OwnServer

ORDERS = range(40)

#: The order in the middle of whose run the server goes.
MIDDLE = 20


class Kitchen:
    """Opens a ticket for each order; in the middle of one it waits until it may go on."""

    def __init__(self, shop: Shop) -> None:
        self.is_reached, self.may_go_on = threading.Event(), threading.Event()

        @module_listener("kitchen.open_ticket", retry=PATIENT)
        def open_ticket(event: WantedDish) -> None:
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            shop.kitchen.session.flush()
            if event.order_id == MIDDLE:
                self.is_reached.set()
                self.may_go_on.wait(20)

        shop.listen(open_ticket)


@pytest.fixture
def shop(own_server: OwnServer, clock: FakeClock) -> Iterator[Shop]:
    shop = Shop(own_server.url, clock=clock)
    yield shop
    shop.close()


def restarted(server: OwnServer, shop: Shop, kitchen: Kitchen, clock: FakeClock) -> list[str]:
    """Restart the server in the middle of a run; return what the process logs until everything is delivered."""
    with Log("is back") as log:
        assert kitchen.is_reached.wait(10)
        server.end()
        kitchen.may_go_on.set()
        server.start()
        until(shop.kitchen.takes_writes)
        clock.advance(hours=1)
        shop.bus.drain()
    return log.lines


def test_scenario_14_restart_during_delivery_loses_nothing_and_is_told_in_a_few_lines(
    shop: Shop, own_server: OwnServer, clock: FakeClock
) -> None:
    kitchen = Kitchen(shop)
    shop.bus.start()
    shop.place(*ORDERS)

    lines = restarted(own_server, shop, kitchen, clock)

    assert sorted(shop.tickets()) == list(ORDERS)
    assert {(row.state, row.failures, row.crashes) for row in shop.publications()} == {("completed", 0, 0)}
    assert len(lines) < 20


def test_scenario_14_restart_while_another_process_is_recovered_from_loses_nothing(
    shop: Shop, own_server: OwnServer, clock: FakeClock
) -> None:
    shop.place(*ORDERS)
    shop.outboxes["order"].claim("kitchen", len(ORDERS))
    clock.advance(hours=1)
    kitchen = Kitchen(shop)
    shop.bus.start()

    lines = restarted(own_server, shop, kitchen, clock)

    assert sorted(shop.tickets()) == list(ORDERS)
    assert {(row.state, row.failures, row.crashes) for row in shop.publications()} == {("completed", 0, 0)}
    assert len(lines) < 20
