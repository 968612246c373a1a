"""What the HTTP interface refuses, and how it says so."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.app.counter import API, Counter, order_body

DISH = {
    "name": "Gnocchi",
    "price": {"amount": "11.5", "currency": "EUR"},
    "stock": 3,
    "available": True,
}


def problem(response: TestResponse) -> Any:
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert response.json["status"] == response.status_code
    assert response.json["title"]
    assert response.json["detail"]
    return response.json


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "$"),
        ({}, "restaurant_id"),
        (order_body(restaurant_id=7), "restaurant_id"),
        (order_body(restaurant_id=""), "restaurant_id"),
        (order_body(lines=[]), "lines"),
        (order_body(lines=[{"sku": "x", "quantity": 1}] * 101), "lines"),
        (order_body(quantity=0), "lines[0].quantity"),
        (order_body(quantity=1001), "lines[0].quantity"),
        (order_body(sku=" "), "lines[0].sku"),
        (order_body(sku="a\n"), "lines[0].sku"),
        (order_body(sku="a\x00"), "lines[0].sku"),
        (order_body(sku="a\u200b"), "lines[0].sku"),
        (order_body(sku="\u202ea"), "lines[0].sku"),
        (order_body(sku="\u3164"), "lines[0].sku"),
        (order_body(sku="a" * 65), "lines[0].sku"),
        (order_body(quantity=10**30), "lines[0].quantity"),
        (order_body(lines=[{"sku": "x", "quantity": 1.0}]), "lines[0].quantity"),
        (order_body(quantity=True), "lines[0].quantity"),
        (order_body(customer={"name": "Ada\x00"}), "customer.name"),
        (order_body(customer={"name": "\u200d"}), "customer.name"),
        (order_body(customer={"name": "Ada", "phone": "( )"}), "customer.phone"),
        (order_body(customer={}), "customer.name"),
        (order_body(customer={"name": "Ada", "phone": "call me"}), "customer.phone"),
        (order_body(customer={"name": "Ada", "age": 36}), "customer.age"),
        (order_body(tip=1), "tip"),
    ],
)
def test_order_with_a_wrong_field_is_refused_and_the_field_is_named(counter: Counter, body: object, field: str) -> None:
    response = counter.client.post(f"{API}/orders", json=body)

    assert response.status_code == 422
    assert problem(response)["field"] == field


def test_body_that_is_not_json_is_refused(counter: Counter) -> None:
    response = counter.client.post(f"{API}/orders", data="{margherita", content_type="application/json")

    assert response.status_code == 400
    problem(response)


@pytest.mark.parametrize(
    "body",
    [
        b'{"restaurant_id": "demo", "restaurant_id": "demo"}',
        b'{"restaurant_id": "demo", "lines": [{"sku": "x", "quantity": 1, "quantity": 2}], "customer": {"name": "A"}}',
        b'{"restaurant_id": "demo", "lines": NaN}',
        b'{"restaurant_id": "\\ud800", "lines": [], "customer": {"name": "Ada"}}',
        b'{"restaurant_id": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)
def test_body_that_can_be_read_in_two_ways_is_refused(counter: Counter, body: bytes) -> None:
    response = counter.client.post(f"{API}/orders", data=body, content_type="application/json")

    assert response.status_code == 400
    problem(response)


def test_body_of_another_media_type_is_refused(counter: Counter) -> None:
    response = counter.client.post(f"{API}/orders", data={"restaurant_id": "demo"})

    assert response.status_code == 415
    problem(response)


def test_body_that_is_too_large_is_refused(counter: Counter) -> None:
    response = counter.client.post(f"{API}/orders", json={"restaurant_id": "d" * 70_000})

    assert response.status_code == 413
    problem(response)


def test_body_that_is_too_large_is_refused_in_chunks_too(counter: Counter) -> None:
    body = b'{"restaurant_id": "' + b"d" * 70_000 + b'"}'
    response = counter.client.post(
        f"{API}/orders",
        input_stream=io.BytesIO(body),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert response.status_code == 413
    problem(response)


@pytest.mark.parametrize("length", ["", "none", "-1", "0", "5, 5"])
def test_body_whose_length_makes_no_sense_is_refused(counter: Counter, length: str) -> None:
    response = counter.client.post(f"{API}/orders", json=order_body(), environ_overrides={"CONTENT_LENGTH": length})

    assert response.status_code == 400
    problem(response)


def test_announced_length_beyond_the_limit_is_refused_before_anything_comes(counter: Counter) -> None:
    response = counter.client.post(
        f"{API}/orders", json=order_body(), environ_overrides={"CONTENT_LENGTH": str(10**12)}
    )

    assert response.status_code == 413
    problem(response)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders/none"),
        ("POST", "/orders/none/cancel"),
        ("POST", "/orders/none/collect"),
        ("GET", "/restaurants/none/menu"),
        ("PUT", "/restaurants/none/menu/gnocchi"),
        ("POST", "/restaurants/none/open"),
        ("POST", "/restaurants/none/close"),
        ("POST", "/kitchen/tickets/none/start"),
        ("POST", "/kitchen/tickets/none/finish"),
        ("GET", "/nothing"),
    ],
)
def test_what_does_not_exist_is_not_found(counter: Counter, method: str, path: str) -> None:
    body = DISH if method == "PUT" else None

    response = counter.client.open(API + path, method=method, json=body)

    assert response.status_code == 404
    problem(response)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/orders/{}"),
        ("POST", "/api/v1/restaurants/{}/open"),
        ("POST", "/api/v1/kitchen/tickets/{}/start"),
        ("POST", "/order/{}/cancel"),
    ],
)
def test_id_that_nobody_knows_is_repeated_short_and_on_one_line(counter: Counter, method: str, path: str) -> None:
    long = counter.client.open(path.format("x" * 3000), method=method)
    odd = counter.client.open(path.format("a%1B%0Ab"), method=method)

    assert (long.status_code, odd.status_code) == (404, 404)
    assert "x" * 79 + "…" in (long.json["detail"] if long.json else long.text)
    assert r"a\x1b\nb" in (odd.json["detail"] if odd.json else odd.text)


def test_dish_that_nobody_knows_is_repeated_short(counter: Counter) -> None:
    response = counter.client.post(f"/restaurant/demo/menu/{'x' * 3000}", data={"available": "true"})

    assert response.status_code == 404
    assert "x" * 79 + "…" in response.text


def test_wrong_method_is_refused_with_the_right_ones(counter: Counter) -> None:
    response = counter.client.delete(f"{API}/kitchen/capacity")

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}
    problem(response)


def test_head_answers_as_get_without_a_body(counter: Counter) -> None:
    order_id = counter.place()

    for path in (f"/orders/{order_id}", "/orders", "/restaurants", "/kitchen/capacity"):
        response = counter.client.head(API + path)
        assert (response.status_code, response.data) == (200, b"")
        assert int(response.headers["Content-Length"]) > 0


def test_options_names_the_methods(counter: Counter) -> None:
    response = counter.client.options(f"{API}/orders")

    assert (response.status_code, response.data) == (200, b"")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_method_that_no_operation_has_is_refused(counter: Counter, method: str) -> None:
    response = counter.client.open(f"{API}/orders", method=method)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    problem(response)


@pytest.mark.parametrize(
    "path",
    [
        "/orders/",
        "/orders//cancel",
        "/../v1/orders",
        "/orders%20",
        "/orders%00",
        "/Orders",
        "/orders/%00",
        "/orders/%ff",
        "/orders/%F0%9F%8D%95",
        "/orders/%2e%2e",
        "/orders/..%2f..%2f",
        "/orders/;DROP%20TABLE%20orders",
        "//orders",
        "/restaurants/%00/menu",
        "/restaurants/demo%0A/menu",
        "/restaurants/DEMO/menu",
    ],
)
def test_path_that_is_not_exactly_one_of_ours_is_not_found(counter: Counter, path: str) -> None:
    response = counter.client.get(API + path)

    assert response.status_code == 404
    problem(response)


@pytest.mark.parametrize("query", ["x=1", "=", "limit=1&limit=2", "Status=placed", "status=placed&status=placed"])
@pytest.mark.parametrize("path", ["/orders", "/restaurants", "/kitchen/tickets"])
def test_parameter_that_nobody_knows_or_that_is_there_twice_is_refused(counter: Counter, path: str, query: str) -> None:
    response = counter.client.get(f"{API}{path}?{query}")

    assert response.status_code == 422
    assert problem(response)["field"] in {"x", "$", "limit", "Status", "status"}


def test_operation_without_parameters_refuses_one(counter: Counter) -> None:
    response = counter.client.post(f"{API}/restaurants/demo/close?force=1")

    assert response.status_code == 422
    assert problem(response)["field"] == "force"


def test_conflict_says_the_present_status(counter: Counter) -> None:
    order_id = counter.place()

    response = counter.post(f"/orders/{order_id}/collect")

    assert response.status_code == 409
    assert problem(response)["current"] == "placed"


def test_dish_is_made_and_then_changed(counter: Counter) -> None:
    path = "/restaurants/demo/menu/gnocchi"

    made = counter.put(path, DISH)
    changed = counter.put(path, DISH | {"stock": 9})

    assert (made.status_code, changed.status_code) == (201, 200)
    assert changed.json == {
        "sku": "gnocchi",
        "name": "Gnocchi",
        "price": {"amount": "11.50", "currency": "EUR"},
        "stock": 9,
        "available": True,
    }
    assert counter.dish("gnocchi") == changed.json


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": {"amount": 12.5, "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": "12.505", "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": "-1.00", "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": "1e3", "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": "12.50", "currency": "eur"}}, "price.currency"),
        ({"price": {"amount": "12.50", "currency": "USD"}}, "price.currency"),
        ({"stock": -1}, "stock"),
        ({"available": "yes"}, "available"),
        ({"sku": "gnocchi"}, "sku"),
    ],
)
def test_dish_with_a_wrong_field_is_refused(counter: Counter, changes: dict[str, object], field: str) -> None:
    response = counter.put("/restaurants/demo/menu/gnocchi", DISH | changes)

    assert response.status_code == 422
    assert problem(response)["field"] == field


def test_sku_that_is_no_name_is_refused(counter: Counter) -> None:
    response = counter.put("/restaurants/demo/menu/a%20b", DISH)

    assert response.status_code == 422
    assert problem(response)["field"] == "sku"


def test_kitchen_says_and_takes_its_capacity(counter: Counter) -> None:
    assert counter.get("/kitchen/capacity") == {"max_open_tickets": 100_000}

    counter.resize_kitchen(7)

    assert counter.get("/kitchen/capacity") == {"max_open_tickets": 7}


@pytest.mark.parametrize("body", [{"max_open_tickets": -1}, {"max_open_tickets": "7"}, {}])
def test_capacity_that_is_no_number_is_refused(counter: Counter, body: object) -> None:
    response = counter.put("/kitchen/capacity", body)

    assert response.status_code == 422
    assert problem(response)["field"] == "max_open_tickets"


def test_unexpected_error_answers_without_saying_what_it_was(counter: Counter) -> None:
    app = counter.client.application
    app.testing = False
    counter.parts.databases["order"].close()
    with counter.parts.databases["order"].transaction():
        counter.parts.databases["order"].session.connection().exec_driver_sql("DROP TABLE followed_orders")

    response = counter.client.get(f"{API}/orders")

    assert response.status_code == 500
    assert "orders" not in problem(response)["detail"]
