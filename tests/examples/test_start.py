"""The example of a cluster does what its page says: honcho, two webs, three workers, a database and a broker."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.wiping import wipe
from tests.examples.running import Shop
from tests.processes.books import Books
from tests.server.server import wait_until

#: honcho's exit codes when it hears SIGTERM, and when a process of its own was killed.
TOLD, KILLED = 143, 247

MakeShop = Callable[[str], Shop]


@pytest.fixture
def make_shop(fresh_postgresql_url: str, tmp_path: Path) -> Iterator[MakeShop]:
    """Prepare the database for a shop over a broker, which has forgotten everything at the end."""
    urls: list[str] = []

    def make(broker_url: str) -> Shop:
        urls.append(broker_url)
        shop = Shop(tmp_path, FLASK_DATABASE_URL=fresh_postgresql_url, FLASK_BUS_URL=broker_url)
        shop.run("flask", "bus", "db", "upgrade")
        return shop

    yield make

    for url in urls:
        wipe(url)


@pytest.fixture
def books(fresh_postgresql_url: str) -> Books:
    return Books(fresh_postgresql_url)


def order_at(port: int, quantity: int) -> str:
    order = {
        "restaurant_id": "demo",
        "lines": [{"sku": "margherita", "quantity": quantity}],
        "customer": {"name": "Ada"},
    }
    url, headers = f"http://127.0.0.1:{port}/api/v1/orders", {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(order).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["order_id"])


def test_orders_at_both_webs_get_tickets_and_nothing_is_left_after_sigterm(
    make_shop: MakeShop, books: Books, redis_url: str
) -> None:
    with make_shop(redis_url).started("all") as cluster:
        answered = {order_at(port, quantity): quantity for port in cluster.ports for quantity in (1, 2)}
        wait_until(books.is_settled)

        exit_code = cluster.end()

        assert (exit_code, cluster.left()) == (TOLD, set())
        assert set(cluster.exit_codes().values()) == {0}
    books.require_exact(answered)


def test_orders_wait_for_a_kitchen_that_was_killed_and_get_their_tickets_when_it_is_back(
    make_shop: MakeShop, books: Books, rabbitmq_url: str
) -> None:
    shop = make_shop(rabbitmq_url)
    with shop.started("others", "web_1", "order", "restaurant") as others:
        with shop.started("kitchen", "kitchen") as kitchen:
            answered = {order_at(others.ports[0], 1): 1}
            wait_until(books.is_settled)
            exit_code = kitchen.kill("kitchen")

        answered |= {order_at(others.ports[0], quantity): quantity for quantity in (2, 3)}
        wait_until(lambda: len(books.owed_to("kitchen")) == 2)
        status = shop.run("flask", "bus", "status")
        with shop.started("again", "kitchen"):
            wait_until(books.is_settled)

    assert exit_code == KILLED
    assert "owes kitchen 2 events" in status
    books.require_exact(answered)
