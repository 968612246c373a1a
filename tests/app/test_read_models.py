"""What is shown comes from read models alone, is there at once, and can be told again from what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Table, delete

from bus import Database
from modules.kitchen.read_models import board_capacity, board_tickets
from modules.order.read_models import followed_orders
from modules.restaurant.read_models import menu_dishes, menu_restaurants
from tests.app.counter import API, Counter, order_body

READ_MODELS = {
    "order": [followed_orders],
    "restaurant": [menu_dishes, menu_restaurants],
    "kitchen": [board_tickets, board_capacity],
}
PROJECTIONS = {"order": "followed_orders", "restaurant": "menu_cards", "kitchen": "board"}

LISTS = (
    "/orders",
    "/orders?status=rejected",
    "/orders?limit=2",
    "/restaurants",
    "/restaurants/demo/menu",
    "/kitchen/tickets",
    "/kitchen/tickets?status=void",
    "/kitchen/capacity",
)


@pytest.fixture
def busy(counter: Counter) -> Counter:
    """Return a counter at which an order has ended in every way there is."""
    completed, cancelled, ready = (counter.place_and_settle(sku) for sku in ("ramen", "bibimbap", "tiramisu"))
    counter.work(completed, "start", "finish")
    counter.post(f"/orders/{completed}/collect")
    counter.post(f"/orders/{cancelled}/cancel")
    counter.work(ready, "start", "finish")
    counter.place("haggis")
    counter.settle()
    counter.resize_kitchen(0)
    counter.place_and_settle("ramen")
    counter.change_dish("espresso", stock=7, available=False)
    counter.post("/restaurants/demo/close")
    return counter


def answers(counter: Counter) -> dict[str, bytes]:
    orders = [f"/orders/{order['order_id']}" for order in counter.get("/orders")["items"]]
    return {path: counter.client.get(API + path).data for path in (*LISTS, *orders)}


def empty(database: Database, tables: list[Table]) -> None:
    with database.transaction():
        for table in tables:
            database.session.execute(delete(table))


def rebuild(counter: Counter, name: str) -> object:
    return counter.parts.containers[name].providers[PROJECTIONS[name]]().rebuild()


def test_answers_come_from_the_read_models_alone(busy: Counter) -> None:
    before = answers(busy)

    for name, database in busy.parts.databases.items():
        written = [table for table in reversed(database.metadata.sorted_tables) if table not in READ_MODELS[name]]
        assert written
        empty(database, written)

    assert answers(busy) == before


@pytest.mark.parametrize("name", sorted(READ_MODELS))
@pytest.mark.parametrize("file", ["read.py", "panel.py"])
def test_what_shows_imports_no_table_that_use_cases_write(name: str, file: str) -> None:
    source = (Path(__file__).parents[2] / "modules" / name / file).read_text()

    assert f"modules.{name}.read import" in source or f"modules.{name}.read_models import" in source
    assert f"modules.{name}.tables" not in source


def test_read_models_may_be_thrown_away_and_are_told_again_from_what_is_stored(busy: Counter) -> None:
    before = answers(busy)
    for name, database in busy.parts.databases.items():
        empty(database, READ_MODELS[name])
    assert busy.get("/orders")["items"] == []

    shown = {name: rebuild(busy, name) for name in PROJECTIONS}

    assert answers(busy) == before
    assert shown == {"order": 5, "restaurant": 6, "kitchen": 3}


def test_rebuilding_what_is_right_changes_nothing(busy: Counter) -> None:
    before = answers(busy)

    for name in PROJECTIONS:
        rebuild(busy, name)

    assert answers(busy) == before


def test_order_is_found_as_soon_as_it_is_placed(counter: Counter) -> None:
    placed = counter.client.post(f"{API}/orders", json=order_body("ramen", 2))

    found = counter.client.get(placed.headers["Location"])
    (listed,) = counter.get("/orders?status=placed")["items"]

    assert found.data == placed.data
    assert listed == placed.json


def test_order_is_shown_as_the_command_has_answered_it(counter: Counter) -> None:
    order_id = counter.place_and_settle("ramen", 2)

    cancelled = counter.post(f"/orders/{order_id}/cancel")

    assert counter.client.get(f"{API}/orders/{order_id}").data == cancelled.data


def test_ticket_is_shown_as_the_command_has_answered_it(counter: Counter) -> None:
    counter.place_and_settle("ramen", 2)
    (waiting,) = counter.get("/kitchen/tickets?status=open")["items"]

    started = counter.post(f"/kitchen/tickets/{waiting['ticket_id']}/start")

    assert started.data.strip() in as_items(counter, "/kitchen/tickets?status=cooking")
    assert counter.get("/kitchen/tickets?status=open")["items"] == []


def test_dish_and_restaurant_are_shown_as_the_command_has_answered_them(counter: Counter) -> None:
    dish = {"name": "Gnocchi", "price": {"amount": "11.5", "currency": "EUR"}, "stock": 3, "available": True}

    put = counter.put("/restaurants/demo/menu/gnocchi", dish)
    closed = counter.post("/restaurants/demo/close")

    assert put.data.strip() in as_items(counter, "/restaurants/demo/menu")
    assert closed.data.strip() in as_items(counter, "/restaurants")


def as_items(counter: Counter, path: str) -> list[bytes]:
    """Return the items of a list as they would be written each by itself."""
    app: Flask = counter.client.application
    return [app.json.dumps(item, separators=(",", ":")).encode() for item in counter.get(path)["items"]]
