"""The peer of `benchmarks.http`: one endpoint that commits the rows of an order, with no bus and no other module."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import sessionmaker

from bus import Database
from modules.order import tables
from modules.order.model import Customer, Order, OrderLine


def create_app() -> Flask:
    """Return the application; its file is named by `BARE_DATABASE`."""
    app = Flask(__name__)
    database = Database("order", f"sqlite:///{os.environ['BARE_DATABASE']}", metadata=tables.metadata)
    database.create_tables()
    # The engine is set up as the bus sets its own up; the session is SQLAlchemy's.
    sessions = sessionmaker(database.engine, expire_on_commit=False)

    @app.post("/api/v1/orders")
    def place() -> ResponseReturnValue:
        body = request.get_json()
        lines = [OrderLine(line["sku"], line["quantity"]) for line in body["lines"]]
        customer = Customer(body["customer"]["name"])
        order = Order(str(uuid.uuid4()), body["restaurant_id"], lines, customer=customer, at=datetime.now(UTC))
        with sessions() as session, session.begin():
            session.add(order)
        return {"order_id": order.order_id, "status": order.status.value}, 201

    @app.get("/healthz")
    def live() -> ResponseReturnValue:
        return {"status": "ok"}

    return app
