"""Every list is a page of items with the way to the next one."""

from __future__ import annotations

import pytest

from tests.app.counter import API, Counter


def test_demo_restaurant_and_its_menu_are_there_from_the_start(counter: Counter) -> None:
    assert counter.get("/restaurants") == {
        "items": [
            {
                "restaurant_id": "demo",
                "name": "Demo Trattoria",
                "currency": "EUR",
                "open": True,
            }
        ],
        "next": None,
    }
    menu = counter.get("/restaurants/demo/menu")["items"]
    assert {(dish["sku"], dish["stock"], dish["available"]) for dish in menu} == {
        (sku, 1_000_000, True) for sku in ("margherita", "carbonara", "ramen", "bibimbap", "tiramisu", "espresso")
    }


def test_orders_come_newest_first_page_by_page(counter: Counter) -> None:
    placed = [counter.place() for _ in range(5)]

    seen, after = [], ""
    while after is not None:
        answer = counter.get(f"/orders?limit=2{after and '&after=' + after}")
        seen += [order["order_id"] for order in answer["items"]]
        after = answer["next"]

    assert seen == placed[::-1]


def test_page_that_ends_with_the_last_item_has_no_next(counter: Counter) -> None:
    for _ in range(2):
        counter.place()

    assert counter.get("/orders?limit=2")["next"] is None


def test_orders_can_be_listed_by_status(counter: Counter) -> None:
    accepted = counter.place()
    rejected = counter.place("haggis")
    counter.settle()

    def listed(status: str) -> list[str]:
        return [order["order_id"] for order in counter.get(f"/orders?status={status}")["items"]]

    assert (listed("accepted"), listed("rejected"), listed("ready")) == ([accepted], [rejected], [])


def test_tickets_come_oldest_first_and_by_status(counter: Counter) -> None:
    first, second = counter.place_and_settle(), counter.place_and_settle()
    counter.work(first, "start")

    every = counter.get("/kitchen/tickets")["items"]
    cooking = counter.get("/kitchen/tickets?status=cooking")["items"]
    rest = counter.get(f"/kitchen/tickets?after={every[0]['ticket_id']}")["items"]

    assert [ticket["order_id"] for ticket in every] == [first, second]
    assert [ticket["order_id"] for ticket in cooking] == [first]
    assert [ticket["order_id"] for ticket in rest] == [second]


def test_menu_comes_page_by_page(counter: Counter) -> None:
    first = counter.get("/restaurants/demo/menu?limit=4")
    rest = counter.get(f"/restaurants/demo/menu?limit=4&after={first['next']}")

    skus = [dish["sku"] for dish in first["items"] + rest["items"]]
    assert (skus, rest["next"]) == (sorted(skus), None)
    assert len(skus) == 6


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/orders?limit=0", "limit"),
        ("/orders?limit=201", "limit"),
        ("/orders?limit=many", "limit"),
        ("/orders?after=", "after"),
        ("/orders?after=yesterday", "after"),
        ("/kitchen/tickets?after=zzz", "after"),
        ("/restaurants?after=%2Fetc", "after"),
        ("/restaurants/demo/menu?after=a%20b", "after"),
        ("/orders?status=eaten", "status"),
        ("/kitchen/tickets?status=eaten", "status"),
        ("/restaurants?limit=-1", "limit"),
    ],
)
def test_query_that_makes_no_sense_is_refused(counter: Counter, path: str, field: str) -> None:
    response = counter.client.get(API + path)

    assert response.status_code == 422
    assert response.json is not None
    assert response.json["field"] == field
