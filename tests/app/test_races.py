"""News that overtakes other news, over HTTP and through the inboxes: the modules agree, and stock is exact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier

import pytest

from modules.kitchen.model import DEFAULT_CAPACITY
from modules.kitchen.room import find_capacity
from tests.app.conftest import MakeApp
from tests.app.counter import API, Counter, order_body
from tests.app.post import Post
from tests.databases import ON_BOTH

pytestmark = ON_BOTH

STOCK = 1_000_000
ACCEPTED, REJECTED = "restaurant.order_accepted", "restaurant.order_rejected"
OPENED, REFUSED = "kitchen.ticket_opened", "kitchen.ticket_refused"
STARTED, READY = "kitchen.preparation_started", "kitchen.order_ready"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def held(make_app: MakeApp, post: Post) -> Counter:
    """Return a counter between whose modules nothing moves until the test delivers it."""
    return Counter(make_app(transport=post))


def place(counter: Counter) -> str:
    return counter.place("ramen", 3)


def cancel(counter: Counter, order_id: str) -> int:
    return counter.post(f"/orders/{order_id}/cancel").status_code


def work(counter: Counter, *actions: str) -> None:
    (ticket,) = counter.get("/kitchen/tickets")["items"]
    for action in actions:
        assert counter.post(f"/kitchen/tickets/{ticket['ticket_id']}/{action}").status_code == 200


def told(counter: Counter, order_id: str) -> list[str]:
    return [step["status"] for step in counter.order(order_id)["history"]]


def tickets(counter: Counter) -> list[str]:
    return [ticket["status"] for ticket in counter.get("/kitchen/tickets")["items"]]


def check_cancelled(counter: Counter, post: Post, order_id: str, ticket: list[str]) -> None:
    """Check that a cancellation has won when all is delivered, and still has when all is delivered again."""
    post.deliver_all(counter.parts.bus)
    post.repeat_all()

    assert (told(counter, order_id)[-1], counter.order(order_id)["reason"]) == ("cancelled", None)
    assert counter.dish("ramen")["stock"] == STOCK
    assert tickets(counter) == ticket


def test_cancellation_that_overtakes_its_order_keeps_it_out(held: Counter, post: Post) -> None:
    order_id = place(held)
    assert cancel(held, order_id) == 200

    post.deliver("restaurant", "order.cancelled")
    post.deliver("kitchen", "order.cancelled")
    post.deliver("restaurant", "order.placed")

    held.settle()
    check_cancelled(held, post, order_id, ticket=[])


def test_cancellation_against_an_acceptance_on_its_way_wins(held: Counter, post: Post) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    assert held.dish("ramen")["stock"] == STOCK - 3

    assert cancel(held, order_id) == 200
    post.deliver("kitchen", ACCEPTED, "order.cancelled")

    check_cancelled(held, post, order_id, ticket=["void"])


def test_cancellation_that_reaches_the_kitchen_before_the_acceptance_leaves_no_ticket(
    held: Counter, post: Post
) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    assert cancel(held, order_id) == 200

    post.deliver("kitchen", "order.cancelled", ACCEPTED)

    check_cancelled(held, post, order_id, ticket=[])


def test_cancellation_that_order_accepted_wins_over_a_ticket_that_is_cooking(held: Counter, post: Post) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    post.deliver("kitchen", ACCEPTED)
    post.deliver("order", ACCEPTED, OPENED)
    work(held, "start")

    assert (told(held, order_id), cancel(held, order_id)) == (["placed", "accepted"], 200)

    check_cancelled(held, post, order_id, ticket=["void"])


def test_cancellation_after_the_news_of_cooking_is_refused(held: Counter, post: Post) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    post.deliver("kitchen", ACCEPTED)
    work(held, "start")
    post.deliver("order", STARTED)

    assert cancel(held, order_id) == 409
    post.deliver_all(held.parts.bus)

    assert (held.status(order_id), tickets(held)) == ("preparing", ["cooking"])
    assert held.order(order_id)["total"]["amount"] == "41.40"


def test_cancellation_of_what_is_cooked_already_puts_the_stock_back_and_leaves_the_ticket(
    held: Counter, post: Post
) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    post.deliver("kitchen", ACCEPTED)
    work(held, "start", "finish")

    assert cancel(held, order_id) == 200

    check_cancelled(held, post, order_id, ticket=["done"])


@pytest.mark.parametrize("news", list(permutations([("order", ACCEPTED), ("order", REFUSED), ("restaurant", REFUSED)])))
def test_refused_ticket_puts_the_stock_back_and_rejects_the_order(
    held: Counter, post: Post, news: tuple[tuple[str, str], ...]
) -> None:
    held.resize_kitchen(0)
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    post.deliver("kitchen", ACCEPTED)
    held.resize_kitchen(5)

    for target, name in news:
        post.deliver(target, name)
    held.settle()
    post.repeat_all()

    assert (told(held, order_id), held.order(order_id)["reason"]) == (["placed", "rejected"], "kitchen_full")
    assert (held.dish("ramen")["stock"], tickets(held)) == (STOCK, [])


@pytest.mark.parametrize("news", list(permutations([ACCEPTED, OPENED, STARTED, READY])))
def test_order_is_completed_in_whatever_sequence_its_news_comes(
    held: Counter, post: Post, news: tuple[str, ...]
) -> None:
    order_id = place(held)
    post.deliver("restaurant", "order.placed")
    post.deliver("kitchen", ACCEPTED)
    work(held, "start", "finish")

    post.deliver("order", *news)
    assert held.post(f"/orders/{order_id}/collect").status_code == 200
    post.repeat_all()

    assert told(held, order_id)[-2:] == ["ready", "completed"]
    assert (held.dish("ramen")["stock"], tickets(held)) == (STOCK - 3, ["done"])


def test_last_dish_that_fifty_want_at_once_goes_to_one(counter: Counter) -> None:
    counter.change_dish("ramen", stock=1)
    app = counter.client.application

    def order(_number: int) -> int:
        return app.test_client().post(f"{API}/orders", json=order_body("ramen")).status_code

    with ThreadPoolExecutor(10) as customers:
        assert list(customers.map(order, range(50))) == [201] * 50
    counter.settle()

    items = counter.get("/orders?limit=200")["items"]
    ends = sorted((item["status"], item["reason"]) for item in items if item["status"] == "rejected")
    assert ends == [("rejected", "out_of_stock")] * 49
    assert [item["status"] for item in items if item["status"] != "rejected"] == ["accepted"]
    assert (counter.dish("ramen")["stock"], tickets(counter)) == (0, ["open"])


def test_order_that_is_cancelled_and_started_at_once_ends_one_way(counter: Counter) -> None:
    placed = [counter.place_and_settle("ramen") for _ in range(6)]
    cooks = [ticket["ticket_id"] for ticket in counter.get("/kitchen/tickets")["items"]]
    app = counter.client.application

    def post(path: str) -> int:
        return app.test_client().post(API + path).status_code

    paths = [f"/orders/{id}/cancel" for id in placed] + [f"/kitchen/tickets/{id}/start" for id in cooks]
    with ThreadPoolExecutor(4) as people:
        assert set(people.map(post, paths)) <= {200, 409}
    counter.settle()

    ends = [(counter.status(id), counter.ticket_of(id)["status"]) for id in placed]
    assert set(ends) <= {("cancelled", "void"), ("preparing", "cooking")}
    assert counter.dish("ramen")["stock"] == STOCK - ends.count(("preparing", "cooking"))


def test_first_orders_that_come_at_once_find_one_capacity(counter: Counter) -> None:
    kitchen, together = counter.parts.databases["kitchen"], Barrier(4)

    def look() -> int:
        with kitchen.transaction():
            together.wait(10)
            return find_capacity(kitchen).max_open_tickets

    with ThreadPoolExecutor(4) as threads:
        found = [look.result() for look in [threads.submit(look) for _ in range(4)]]

    assert found == [DEFAULT_CAPACITY] * 4
