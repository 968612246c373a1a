"""The page works with forms alone, and only for those who come from it."""

from __future__ import annotations

import re

import pytest

from tests.app.counter import Counter

FORM = {"restaurant_id": "demo", "sku": "ramen", "quantity": "2", "name": "Ada", "phone": ""}


def page(counter: Counter) -> str:
    response = counter.client.get("/")
    assert response.status_code == 200
    return response.text


def send(counter: Counter, path: str, **form: str) -> None:
    """Send a form that the page really has, as a browser does, and follow where it leads."""
    assert f'action="{path}"' in page(counter)
    response = counter.client.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    counter.settle()


def forms_like(counter: Counter, pattern: str) -> list[str]:
    return re.findall(f'action="({pattern})"', page(counter))


def test_page_shows_the_three_sides_of_the_counter(counter: Counter) -> None:
    html = page(counter)

    assert re.findall("<h2[^>]*>([^<]+)</h2>", html) == ["Customer", "Restaurant", "Kitchen"]
    assert "no log-in" in html
    assert "<script" not in html


def test_story_works_with_the_forms_of_the_page(counter: Counter) -> None:
    send(counter, "/order/place", **FORM)
    for pattern in (
        "/kitchen/tickets/[^/]+/start",
        "/kitchen/tickets/[^/]+/finish",
        "/order/[^/]+/collect",
    ):
        (path,) = forms_like(counter, pattern)
        send(counter, path)

    (order,) = counter.get("/orders")["items"]
    assert (order["status"], order["total"]["amount"]) == ("completed", "27.60")
    assert "completed" in page(counter)


def test_order_can_be_cancelled_from_the_page(counter: Counter) -> None:
    send(counter, "/order/place", **FORM)

    (path,) = forms_like(counter, "/order/[^/]+/cancel")
    send(counter, path)

    assert counter.get("/orders?status=cancelled")["items"]


def test_staff_close_the_restaurant_and_a_dish_from_the_page(counter: Counter) -> None:
    send(counter, "/restaurant/demo/menu/ramen", available="false")
    send(counter, "/restaurant/demo/close")
    assert (counter.dish("ramen")["available"], "off the menu" in page(counter)) == (False, True)

    send(counter, "/restaurant/demo/menu/ramen", available="true")
    send(counter, "/restaurant/demo/open")

    assert counter.dish("ramen")["available"]
    assert counter.get("/restaurants")["items"][0]["open"]


def test_cooks_set_their_capacity_from_the_page(counter: Counter) -> None:
    send(counter, "/kitchen/capacity", max_open_tickets="3")

    assert counter.get("/kitchen/capacity") == {"max_open_tickets": 3}


def test_form_that_is_filled_in_wrongly_answers_a_page_that_leads_back(counter: Counter) -> None:
    response = counter.client.post("/order/place", data=FORM | {"quantity": "lots"})

    assert (response.status_code, response.mimetype) == (422, "text/html")
    assert 'href="/"' in response.text


def test_form_that_is_filled_in_wrongly_is_told_in_words(counter: Counter) -> None:
    response = counter.client.post("/order/place", data=FORM | {"phone": "call me"})

    assert "phone: expected text of the allowed form" in response.text


def test_order_that_was_turned_away_shows_its_reason_and_no_price(counter: Counter) -> None:
    counter.resize_kitchen(0)
    counter.place_and_settle("ramen")

    (order,) = re.findall(r'<article class="card" aria-label="Order.*?</p>', page(counter), re.DOTALL)

    assert re.sub(r"<[^>]*>|\s+", " ", order).split() == ["rejected", "·", "kitchen", "full"]
    assert counter.get("/orders")["items"][0]["total"]


def test_what_customers_write_is_shown_as_text(counter: Counter) -> None:
    send(counter, "/order/place", **FORM | {"sku": "<b>ramen</b>"})

    assert "&lt;b&gt;ramen&lt;/b&gt;" in page(counter)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_form_of_another_site_is_refused(counter: Counter, headers: dict[str, str]) -> None:
    response = counter.client.post("/order/place", data=FORM, headers=headers)

    assert response.status_code == 403
    assert counter.get("/orders")["items"] == []


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_form_of_this_site_is_taken(counter: Counter, headers: dict[str, str]) -> None:
    response = counter.client.post("/order/place", data=FORM, headers=headers)

    assert response.status_code == 303
