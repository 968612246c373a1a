"""A name, a phone number and a price that occur nowhere else: where do they come to light?"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request
from sqlalchemy import MetaData, select

from bus import Database, PermanentFailure, module_listener
from bus.inbox.rows import read_envelope
from bus.tables import bus_inbox
from modules.kitchen.contract import OrderAccepted as AcceptedInKitchen
from modules.order.contract import OrderAccepted as AcceptedInOrder
from modules.restaurant.contract import OrderPlaced as PlacedInRestaurant
from tests.app.counter import API, Counter, order_body

NAME, PHONE, PRICE = "Canary Quillfeather", "+999 7531 8642", "7531.86"
CUSTOMER = {"name": NAME, "phone": PHONE}


def refuse(event: object) -> None:
    raise PermanentFailure(f"not this one: {event}")


def stumble(event: object) -> None:
    raise RuntimeError(f"not now: {event}")


class KitchenTrouble:
    @module_listener("kitchen.refuse")
    def refuse(self, event: AcceptedInKitchen) -> None:
        refuse(event)

    @module_listener("kitchen.stumble")
    def stumble(self, event: AcceptedInKitchen) -> None:
        stumble(event)


class RestaurantTrouble:
    @module_listener("restaurant.refuse")
    def refuse(self, event: PlacedInRestaurant) -> None:
        refuse(event)

    @module_listener("restaurant.stumble")
    def stumble(self, event: PlacedInRestaurant) -> None:
        stumble(event)


class OrderTrouble:
    @module_listener("order.stumble")
    def stumble(self, event: AcceptedInOrder) -> None:
        stumble(event)


class Answers:
    """Every answer of an application, by the path that was asked."""

    def __init__(self, app: Flask) -> None:
        self.given: list[tuple[str, str]] = []
        app.after_request(self._keep)

    def with_text(self, text: str) -> set[str]:
        return {path for path, body in self.given if text in body}

    def _keep(self, response: Response) -> Response:
        if not response.direct_passthrough:
            self.given.append((request.path, response.get_data(as_text=True)))
        return response


@pytest.fixture
def answers(app: Flask) -> Answers:
    return Answers(app)


@pytest.fixture
def haunted(answers: Answers, counter: Counter) -> Counter:
    """Take the canary through every path that an order can take, the last one with listeners that fail."""
    counter.change_dish("ramen", price={"amount": PRICE, "currency": "EUR"})
    completed, cancelled = (counter.place("ramen", customer=CUSTOMER) for _ in range(2))
    counter.settle()
    counter.work(completed, "start", "finish")
    assert counter.post(f"/orders/{completed}/collect").status_code == 200
    assert counter.post(f"/orders/{cancelled}/cancel").status_code == 200
    counter.place("haggis", customer=CUSTOMER)
    wrong = order_body("ramen", customer=CUSTOMER | {"tip": 1})
    assert counter.client.post(f"{API}/orders", json=wrong).status_code == 422
    counter.settle()
    counter.resize_kitchen(0)
    counter.place("ramen", customer=CUSTOMER)
    counter.settle()
    counter.resize_kitchen(9)
    place_amid_trouble(counter)
    return counter


def place_amid_trouble(counter: Counter) -> None:
    """Place an order on which five listeners fail, and wait until each has."""
    failed: set[str] = set()
    every = threading.Event()

    def note(_bus: object, *, listener_id: str, **_details: object) -> None:
        failed.add(listener_id)
        if len(failed) == 5:
            every.set()

    bus = counter.parts.bus
    bus.signals.listener_failed.connect(note)
    for name, trouble in (
        ("kitchen", KitchenTrouble()),
        ("restaurant", RestaurantTrouble()),
        ("order", OrderTrouble()),
    ):
        bus.module(name).subscribe(trouble)
    counter.place("ramen", customer=CUSTOMER)
    assert every.wait(20), failed


def places(database: Database, text: str) -> set[str]:
    """Return every table and column of a database in which the text stands somewhere."""
    found = MetaData()
    found.reflect(database.read_engine)
    with database.read() as session:
        return {
            f"{table.name}.{column.name}"
            for table in found.tables.values()
            for row in session.execute(select(table))
            for column, value in zip(table.columns, row, strict=True)
            if text.encode() in (value if isinstance(value, bytes) else str(value).encode())
        }


def ask_everything(counter: Counter) -> None:
    """Send a GET to every route that there is, for every order."""
    orders = [order["order_id"] for order in counter.get("/orders")["items"]]
    assert len(orders) == 5
    for path in sorted({path for order_id in orders for path in paths(counter.client.application, order_id)}):
        with counter.client.get(path) as answer:
            assert answer.status_code == 200, path


def paths(app: Flask, order_id: str) -> Iterator[str]:
    """Yield the paths of the routes that answer something of their own; a bell only says that something has changed."""
    values = {"order_id": order_id, "restaurant_id": "demo", "sku": "ramen", "name": "swagger-ui.css"}
    for rule in app.url_map.iter_rules():
        answers = rule.methods is not None and "GET" in rule.methods and rule.rule != "/bell"
        if answers and not rule.endpoint.endswith("static"):
            _, path = rule.build(values, append_unknown=False) or ("", "")
            yield path


def test_customer_stands_in_the_orders_alone(haunted: Counter) -> None:
    found = {
        (module, place)
        for module, database in haunted.parts.databases.items()
        for text in (NAME, PHONE)
        for place in places(database, text)
    }

    assert found == {("order", "orders.customer_name"), ("order", "orders.customer_phone")}


def test_no_price_stands_in_the_kitchen(haunted: Counter) -> None:
    with haunted.parts.databases["kitchen"].read() as session:
        waiting = [row.envelope for row in session.execute(select(bus_inbox)) if row.envelope is not None]

    assert len([read_envelope(data) for data in waiting]) == 2
    assert places(haunted.parts.databases["kitchen"], PRICE) == set()
    assert places(haunted.parts.databases["restaurant"], PRICE) >= {"dishes.price", "menu_dishes.price"}


def test_no_answer_shows_a_customer_and_no_answer_of_the_kitchen_a_price(haunted: Counter, answers: Answers) -> None:
    ask_everything(haunted)

    assert answers.with_text(NAME) | answers.with_text(PHONE) == set()
    assert {path for path in answers.with_text(PRICE) if "kitchen" in path} == set()
    assert {"/", "/api/v1/orders", "/api/v1/restaurants/demo/menu"} <= answers.with_text(PRICE)
    assert {"/", "/api/v1/kitchen/tickets", "/api/v1/kitchen/capacity"} <= {path for path, _ in answers.given}


def test_panel_of_the_kitchen_shows_no_price_and_none_shows_a_customer(haunted: Counter) -> None:
    with haunted.client.application.test_request_context("/"):
        panels = {name: str(parts.providers["panel"]().render({})) for name, parts in haunted.parts.containers.items()}

    assert PRICE not in panels["kitchen"]
    assert not any(text in panel for panel in panels.values() for text in (NAME, PHONE))


def test_log_names_no_customer(haunted: Counter, caplog: pytest.LogCaptureFixture) -> None:
    said = [
        record.getMessage() + str(record.exc_text) for when in ("setup", "call") for record in caplog.get_records(when)
    ]

    assert any("not now" in line for line in said)
    assert not any(text in line for line in said for text in (NAME, PHONE))
