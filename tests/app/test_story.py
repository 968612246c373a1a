"""An order travels from the customer over the restaurant to the kitchen and back."""

from __future__ import annotations

import pytest

from tests.app.counter import Counter, order_body
from tests.app.transports import ON_EVERY_TRANSPORT_AND_BOTH

pytestmark = ON_EVERY_TRANSPORT_AND_BOTH

STOCK = 1_000_000


def test_placed_order_is_answered_at_once_with_its_address(counter: Counter) -> None:
    response = counter.client.post("/api/v1/orders", json=order_body("ramen", 2))

    order = response.json
    assert order is not None
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/orders/{order['order_id']}"
    assert (order["status"], order["restaurant_id"]) == ("placed", "demo")
    assert order["lines"] == [{"sku": "ramen", "quantity": 2}]
    assert (order["total"], order["reason"]) == (None, None)


def test_order_is_accepted_priced_and_has_a_ticket(counter: Counter) -> None:
    order_id = counter.place_and_settle("ramen", 3)

    order, ticket = counter.order(order_id), counter.ticket_of(order_id)
    assert order["status"] == "accepted"
    assert order["total"] == {"amount": "41.40", "currency": "EUR"}
    assert ticket["status"] == "open"
    assert ticket["lines"] == [{"name": "Shoyu Ramen", "quantity": 3}]
    assert counter.dish("ramen")["stock"] == STOCK - 3


def test_order_goes_all_the_way_to_completed(counter: Counter) -> None:
    order_id = counter.place_and_settle()

    counter.work(order_id, "start")
    assert counter.status(order_id) == "preparing"
    counter.work(order_id, "finish")
    assert counter.status(order_id) == "ready"
    assert counter.post(f"/orders/{order_id}/collect").status_code == 200

    history = counter.order(order_id)["history"]
    way = ["placed", "accepted", "preparing", "ready", "completed"]
    assert [step["status"] for step in history] == way
    assert [step["at"] for step in history] == sorted(step["at"] for step in history)


def test_same_dish_on_two_lines_counts_together(counter: Counter) -> None:
    lines = [{"sku": "espresso", "quantity": 2}, {"sku": "espresso", "quantity": 1}]
    order_id = counter.place(lines=lines)
    counter.settle()

    assert counter.order(order_id)["lines"] == lines
    assert counter.order(order_id)["total"]["amount"] == "7.20"
    assert counter.ticket_of(order_id)["lines"] == [{"name": "Espresso", "quantity": 3}]
    assert counter.dish("espresso")["stock"] == STOCK - 3


def test_order_of_several_dishes_costs_their_exact_sum(counter: Counter) -> None:
    lines = [{"sku": "margherita", "quantity": 1}, {"sku": "tiramisu", "quantity": 2}]
    order_id = counter.place(lines=lines)
    counter.settle()

    assert counter.order(order_id)["total"] == {"amount": "21.90", "currency": "EUR"}


@pytest.mark.parametrize(
    ("restaurant_id", "sku", "reason"),
    [("nowhere", "ramen", "unknown_restaurant"), ("demo", "haggis", "unknown_dish")],
)
def test_order_that_no_menu_knows_is_taken_and_then_rejected(
    counter: Counter, restaurant_id: str, sku: str, reason: str
) -> None:
    order_id = counter.place(sku, restaurant_id=restaurant_id)
    counter.settle()

    order = counter.order(order_id)
    assert (order["status"], order["reason"]) == ("rejected", reason)
    assert order["total"] is None


def test_closed_restaurant_rejects_until_it_opens(counter: Counter) -> None:
    closed = counter.post("/restaurants/demo/close").json
    assert closed == {
        "restaurant_id": "demo",
        "name": "Demo Trattoria",
        "currency": "EUR",
        "open": False,
    }
    rejected = counter.place_and_settle()
    counter.post("/restaurants/demo/open")
    accepted = counter.place_and_settle()

    assert counter.order(rejected)["reason"] == "closed"
    assert counter.status(accepted) == "accepted"


@pytest.mark.parametrize("changes", [{"stock": 1}, {"available": False}])
def test_dish_that_is_not_there_is_out_of_stock(counter: Counter, changes: dict[str, object]) -> None:
    counter.change_dish("ramen", **changes)
    before = counter.dish("ramen")["stock"]

    order_id = counter.place_and_settle("ramen", 2)

    assert counter.order(order_id)["reason"] == "out_of_stock"
    assert counter.dish("ramen")["stock"] == before


def test_order_takes_all_of_its_dishes_or_none(counter: Counter) -> None:
    counter.change_dish("ramen", stock=0)

    order_id = counter.place(lines=[{"sku": "espresso", "quantity": 1}, {"sku": "ramen", "quantity": 1}])
    counter.settle()

    assert counter.order(order_id)["reason"] == "out_of_stock"
    assert counter.dish("espresso")["stock"] == STOCK


def test_full_kitchen_refuses_and_the_stock_comes_back(counter: Counter) -> None:
    counter.resize_kitchen(1)
    first = counter.place_and_settle("ramen")

    second = counter.place_and_settle("ramen", 5)

    assert counter.status(first) == "accepted"
    assert counter.status(second) == "rejected"
    assert counter.order(second)["reason"] == "kitchen_full"
    assert counter.dish("ramen")["stock"] == STOCK - 1


def test_finished_ticket_makes_room_for_the_next(counter: Counter) -> None:
    counter.resize_kitchen(1)
    counter.work(counter.place_and_settle(), "start", "finish")

    assert counter.status(counter.place_and_settle()) == "accepted"
