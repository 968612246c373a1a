"""The counter as a test sees it: what people do over HTTP, and a way to wait for the modules."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask
from werkzeug.test import TestResponse

from modular_app.app import Parts

API = "/api/v1"


class Counter:
    """Drives one application through Flask's test client."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.parts = cast(Parts, app.extensions["modular-app"])

    def settle(self) -> None:
        """Wait until every module has heard what concerns it."""
        self.parts.bus.drain()

    def get(self, path: str) -> Any:
        response = self.client.get(API + path)
        assert response.status_code == 200, response.text
        return response.json

    def post(self, path: str) -> TestResponse:
        return self.client.post(API + path)

    def put(self, path: str, body: object) -> TestResponse:
        return self.client.put(API + path, json=body)

    def place(self, sku: str = "margherita", quantity: int = 1, **changes: object) -> str:
        """Place an order and return its id; the other modules may not have heard of it yet."""
        response = self.client.post(f"{API}/orders", json=order_body(sku, quantity, **changes))
        assert response.status_code == 201, response.text
        return str(response.json and response.json["order_id"])

    def place_and_settle(self, sku: str = "margherita", quantity: int = 1) -> str:
        order_id = self.place(sku, quantity)
        self.settle()
        return order_id

    def order(self, order_id: str) -> Any:
        return self.get(f"/orders/{order_id}")

    def status(self, order_id: str) -> str:
        return str(self.order(order_id)["status"])

    def ticket_of(self, order_id: str) -> Any:
        items = self.get("/kitchen/tickets?limit=200")["items"]
        return next(ticket for ticket in items if ticket["order_id"] == order_id)

    def work(self, order_id: str, *actions: str) -> None:
        """Do something in the kitchen with the order's ticket, and wait until it is known."""
        ticket_id = self.ticket_of(order_id)["ticket_id"]
        for action in actions:
            assert self.post(f"/kitchen/tickets/{ticket_id}/{action}").status_code == 200
        self.settle()

    def dish(self, sku: str) -> Any:
        items = self.get("/restaurants/demo/menu")["items"]
        return next(dish for dish in items if dish["sku"] == sku)

    def change_dish(self, sku: str, **changes: object) -> None:
        """Change what the menu says of a dish."""
        dish = self.dish(sku)
        del dish["sku"]
        assert self.put(f"/restaurants/demo/menu/{sku}", dish | changes).status_code == 200

    def resize_kitchen(self, max_open_tickets: int) -> None:
        body = {"max_open_tickets": max_open_tickets}
        assert self.put("/kitchen/capacity", body).status_code == 200


def order_body(sku: str = "margherita", quantity: int = 1, **changes: object) -> dict[str, object]:
    """Return the body of an order of one line."""
    body: dict[str, object] = {
        "restaurant_id": "demo",
        "lines": [{"sku": sku, "quantity": quantity}],
        "customer": {"name": "Ada"},
    }
    return body | changes
