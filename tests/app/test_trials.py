"""The buttons that show what the architecture is for: away, failing, and everybody at once."""

from __future__ import annotations

import threading

import pytest

from modular_app.app import Parts
from modules.kitchen.fault import TIMES, Fault, OvenIsCold
from modules.order.rush import ORDERS
from tests.app.counter import Counter
from tests.app.transports import ON_EVERY_TRANSPORT
from tests.server.server import wait_until


def wait_for(parts: Parts, name: str, **wanted: object) -> None:
    """Return when the bus has announced it."""
    heard = threading.Event()

    def hear(_sender: object, **details: object) -> None:
        if wanted.items() <= details.items():
            heard.set()

    with getattr(parts.bus.signals, name).connected_to(hear):
        assert heard.wait(30)


@ON_EVERY_TRANSPORT
def test_paused_kitchen_lets_orders_wait_and_says_so(counter: Counter) -> None:
    assert counter.client.post("/modules/kitchen/pause").status_code == 303
    for _ in range(7):
        counter.place()

    wait_until(lambda: "The kitchen is paused and behind: 7 waiting." in counter.client.get("/").text)
    assert counter.get("/kitchen/tickets")["items"] == []


@ON_EVERY_TRANSPORT
def test_resumed_kitchen_works_off_what_waited(counter: Counter) -> None:
    counter.client.post("/modules/kitchen/pause")
    order_ids = [counter.place() for _ in range(3)]
    counter.client.post("/modules/kitchen/resume")
    counter.settle()

    assert {counter.status(order_id) for order_id in order_ids} == {"accepted"}
    assert "is paused" not in counter.client.get("/").text


@pytest.mark.parametrize("path", ["/modules/bakery/pause", "/modules/bakery/resume"])
def test_module_that_is_not_here_cannot_be_paused(counter: Counter, path: str) -> None:
    assert counter.client.post(path).status_code == 404


def test_fault_strikes_one_order_so_many_times_and_no_other() -> None:
    fault = Fault()
    fault.switch_on()

    for _ in range(TIMES):
        with pytest.raises(OvenIsCold, match="of 3"):
            fault.strike("one")
        fault.strike("another")

    fault.strike("one")
    assert fault.left == 0


@ON_EVERY_TRANSPORT
def test_kitchen_that_fails_is_shown_with_its_next_run(counter: Counter) -> None:
    counter.client.post("/kitchen/fault")
    counter.place()
    wait_for(counter.parts, "listener_failed", listener_id="kitchen.open_ticket")

    html = counter.client.get("/").text

    assert "kitchen.open_ticket: failed once (OvenIsCold: the oven is cold, failure 1 of 3), runs again" in html
    assert "2 of 3 failures to go" in html


@ON_EVERY_TRANSPORT
def test_rush_runs_once_at_a_time_and_ends_with_the_bus(counter: Counter) -> None:
    counter.client.post("/order/rush")
    counter.client.post("/order/rush")
    rush = counter.parts.containers["order"].providers["rush"]()

    threads = [thread.name for thread in threading.enumerate()]
    shown = counter.client.get("/").text
    counter.parts.bus.stop()

    assert threads.count("order-rush") == 1
    assert f"of {ORDERS} orders placed" in shown
    assert not rush.is_running()
    assert rush.placed < ORDERS


@ON_EVERY_TRANSPORT
def test_brigade_cooks_everything_that_waits(counter: Counter) -> None:
    order_ids = [counter.place_and_settle() for _ in range(5)]
    counter.work(order_ids[0], "start")

    assert 'id="cook-all"' in counter.client.get("/").text
    assert counter.client.post("/kitchen/tickets/cook-all").status_code == 303
    counter.settle()

    assert {counter.status(order_id) for order_id in order_ids} == {"ready"}
