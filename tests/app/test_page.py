"""The page works with forms alone, and only for those who come from it."""

from __future__ import annotations

import re

import pytest

from tests.app.counter import Counter

FORM = {"restaurant_id": "demo", "quantity.ramen": "2", "quantity.espresso": "0", "name": "Ada", "phone": ""}


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

    assert re.findall('<h2 id="(?:order|restaurant|kitchen)-title">([^<]+)</h2>', html) == [
        "Customer",
        "Restaurant",
        "Kitchen",
    ]
    assert "no log-in" in html


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
    response = counter.client.post("/order/place", data=FORM | {"quantity.ramen": "lots"})

    assert (response.status_code, response.mimetype) == (422, "text/html")
    assert 'href="/"' in response.text


def test_form_that_is_filled_in_wrongly_is_told_in_words(counter: Counter) -> None:
    response = counter.client.post("/order/place", data=FORM | {"phone": "call me"})

    assert "phone: expected text of the allowed form" in response.text


def test_order_that_was_turned_away_shows_its_reason_and_no_price(counter: Counter) -> None:
    counter.resize_kitchen(0)
    counter.place_and_settle("ramen")

    (order,) = re.findall(r'<li class="slip.*?<ol', page(counter), re.DOTALL)

    assert "rejected" in order
    assert "the kitchen has no room" in order
    assert "EUR" not in order
    assert counter.get("/orders")["items"][0]["total"]


def test_what_customers_write_is_shown_as_text(counter: Counter) -> None:
    send(counter, "/order/place", **FORM | {"quantity.<b>ramen</b>": "1"})

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


def form_id(counter: Counter) -> str:
    (found,) = re.findall('name="form_id" value="([^"]+)"', page(counter))
    return str(found)


def orders(counter: Counter) -> int:
    return len(counter.get("/orders")["items"])


def test_form_that_is_sent_twice_orders_once(counter: Counter) -> None:
    form = FORM | {"form_id": form_id(counter)}

    answers = [counter.client.post("/order/place", data=form).status_code for _ in range(2)]

    assert answers == [303, 303]
    assert orders(counter) == 1


def test_form_that_is_changed_and_sent_again_is_another_order(counter: Counter) -> None:
    form = FORM | {"form_id": form_id(counter)}

    counter.client.post("/order/place", data=form)
    counter.client.post("/order/place", data=form | {"quantity.ramen": "3"})

    assert orders(counter) == 2


def test_each_rendering_of_the_form_is_another_order(counter: Counter) -> None:
    for _ in range(2):
        counter.client.post("/order/place", data=FORM | {"form_id": form_id(counter)})

    assert orders(counter) == 2


@pytest.mark.parametrize("wrong", ["", "x", "0" * 65, "<b>0123456789abcdef</b>"])
def test_form_without_a_right_id_is_taken_each_time(counter: Counter, wrong: str) -> None:
    for _ in range(2):
        assert counter.client.post("/order/place", data=FORM | {"form_id": wrong}).status_code == 303

    assert orders(counter) == 2


def test_form_without_a_dish_is_told_to_choose_one(counter: Counter) -> None:
    response = counter.client.post("/order/place", data=FORM | {"quantity.ramen": "0"})

    assert response.status_code == 422
    assert "Choose a dish first" in response.text


def test_button_that_is_pressed_twice_does_no_harm(counter: Counter) -> None:
    order_id = counter.place_and_settle()
    ticket_id = counter.ticket_of(order_id)["ticket_id"]
    twice = [f"/kitchen/tickets/{ticket_id}/{act}" for act in ("start", "start", "finish", "finish")]

    answers = [counter.client.post(path).status_code for path in twice]
    counter.settle()

    assert answers == [303] * 4
    assert counter.status(order_id) == "ready"


def test_button_that_comes_too_late_is_told_so(counter: Counter) -> None:
    order_id = counter.place_and_settle()
    ticket_id = counter.ticket_of(order_id)["ticket_id"]
    counter.client.post(f"/order/{order_id}/cancel")
    counter.settle()

    response = counter.client.post(f"/kitchen/tickets/{ticket_id}/start")

    assert response.status_code == 409
    assert "is void" in response.text


def test_script_is_answered_without_the_page(counter: Counter) -> None:
    script = {"HX-Request": "true"}

    taken = counter.client.post("/order/place", data=FORM, headers=script)
    refused = counter.client.post("/order/place", data=FORM | {"quantity.ramen": "lots"}, headers=script)

    assert (taken.status_code, taken.text) == (204, "")
    assert (refused.status_code, refused.mimetype) == (422, "text/plain")
    assert "whole number" in refused.text


def test_what_changes_is_fetched_without_the_rest_of_the_page(counter: Counter) -> None:
    response = counter.client.get("/live?restaurant=demo&_scheme=x")

    assert 'id="panel-kitchen"' in response.text
    assert "<html" not in response.text


def test_menu_is_that_of_the_restaurant_in_the_address_or_of_the_first(counter: Counter) -> None:
    for address in ("/", "/?restaurant=demo", "/?restaurant=nowhere"):
        html = counter.client.get(address).text

        assert 'name="restaurant_id" value="demo"' in html
        assert 'name="quantity.ramen"' in html
