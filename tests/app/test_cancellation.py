"""A cancellation wins, and leaves neither stock taken nor a ticket to cook."""

from __future__ import annotations

from tests.app.counter import Counter
from tests.app.transports import ON_EVERY_TRANSPORT

pytestmark = ON_EVERY_TRANSPORT

STOCK = 1_000_000


def test_accepted_order_is_cancelled_everywhere(counter: Counter) -> None:
    order_id = counter.place_and_settle("ramen", 4)

    response = counter.post(f"/orders/{order_id}/cancel")
    counter.settle()

    assert (response.status_code, response.json and response.json["status"]) == (200, "cancelled")
    assert counter.status(order_id) == "cancelled"
    assert counter.ticket_of(order_id)["status"] == "void"
    assert counter.dish("ramen")["stock"] == STOCK


def test_order_cancelled_at_once_ends_the_same_way(counter: Counter) -> None:
    order_id = counter.place("ramen", 4)

    assert counter.post(f"/orders/{order_id}/cancel").status_code == 200
    counter.settle()

    assert counter.status(order_id) == "cancelled"
    assert counter.dish("ramen")["stock"] == STOCK
    tickets = counter.get("/kitchen/tickets")["items"]
    assert [ticket["status"] for ticket in tickets] in ([], ["void"])


def test_void_ticket_cannot_be_started(counter: Counter) -> None:
    order_id = counter.place_and_settle()
    counter.post(f"/orders/{order_id}/cancel")
    counter.settle()

    ticket_id = counter.ticket_of(order_id)["ticket_id"]
    response = counter.post(f"/kitchen/tickets/{ticket_id}/start")

    assert (response.status_code, response.json and response.json["current"]) == (409, "void")


def test_order_in_preparation_cannot_be_cancelled(counter: Counter) -> None:
    order_id = counter.place_and_settle()
    counter.work(order_id, "start")

    response = counter.post(f"/orders/{order_id}/cancel")

    assert response.status_code == 409
    assert response.json is not None
    assert response.json["current"] == "preparing"
    assert counter.status(order_id) == "preparing"


def test_order_cannot_be_cancelled_twice(counter: Counter) -> None:
    order_id = counter.place_and_settle("ramen")
    counter.post(f"/orders/{order_id}/cancel")
    counter.settle()

    response = counter.post(f"/orders/{order_id}/cancel")

    assert (response.status_code, response.json and response.json["current"]) == (409, "cancelled")
    assert counter.dish("ramen")["stock"] == STOCK


def test_order_that_is_not_ready_cannot_be_collected(counter: Counter) -> None:
    order_id = counter.place_and_settle()

    response = counter.post(f"/orders/{order_id}/collect")

    assert (response.status_code, response.json and response.json["current"]) == (409, "accepted")


def test_completed_order_cannot_be_collected_twice(counter: Counter) -> None:
    order_id = counter.place_and_settle()
    counter.work(order_id, "start", "finish")
    counter.post(f"/orders/{order_id}/collect")

    response = counter.post(f"/orders/{order_id}/collect")

    assert (response.status_code, response.json and response.json["current"]) == (409, "completed")
