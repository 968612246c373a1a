"""The page as people use it, in a real browser on a real server."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.server.server import Server, wait_until


def test_one_orders_and_the_other_cooks_without_either_reloading(visit: Visit) -> None:
    customer, cook = visit().open(), visit().open()
    customer.is_live()
    cook.is_live()

    customer.order(carbonara=2, espresso=1)
    expect(cook.tickets).to_contain_text(["2 Spaghetti alla Carbonara1 Espresso"])
    cook.tickets.click()
    customer.shows("preparing")
    expect(cook.tickets).to_contain_text("Finish")
    cook.tickets.click()
    customer.shows("ready")
    customer.orders.get_by_role("button").click()
    cook.shows("completed")

    expect(customer.orders.locator(".steps .reached")).to_have_count(5)
    expect(cook.tickets).to_have_count(0)


def test_paused_kitchen_falls_behind_and_catches_up(visit: Visit) -> None:
    tab = visit().open()
    tab.press("kitchen-rest")
    expect(tab.page.locator("#kitchen-rest")).to_have_text("Resume kitchen")

    for number in range(1, 4):
        tab.order()
        tab.shows("placed", number)
    expect(tab.page.locator("#fare-kitchen")).to_have_text("The kitchen is paused and behind: 3 waiting.")
    tab.press("kitchen-rest")

    tab.shows("accepted", 3)
    expect(tab.page.locator("#fare-kitchen")).to_have_text("")
    expect(tab.tickets).to_have_count(3)


def test_kitchen_fails_three_times_is_passed_by_another_order_and_recovers(visit: Visit) -> None:
    tab = visit().open()
    tab.press("fault")
    expect(tab.page.locator(".trials")).to_contain_text("armed")

    tab.order(ramen=1)
    failing = tab.page.locator("#panel-kitchen .failing")
    expect(failing).to_contain_text("failure 1 of 3), runs again")
    tab.order(espresso=1)
    tab.shows("accepted")
    for failure in (2, 3):
        expect(failing).to_contain_text(f"failed {failure} times")

    tab.shows("accepted", 2)
    expect(failing).to_have_count(0)
    expect(tab.page.locator("#events")).to_contain_text("kitchen.open_ticket done in")


def test_rush_shows_how_far_it_has_come(visit: Visit, server: Server) -> None:
    tab = visit().open()

    tab.press("rush")
    expect(tab.page.locator("#rush-progress")).to_be_visible()
    expect(tab.page.locator("#cook-all")).to_be_visible()
    tab.press("cook-all")

    wait_until(lambda: server.get("/api/v1/orders?status=ready")["items"])


def test_dish_that_is_switched_off_leaves_the_menu_and_comes_back(visit: Visit) -> None:
    tab = visit().open()
    switch = tab.page.get_by_role("switch", name="Shoyu Ramen on the menu")

    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(tab.page.locator("#offer-ramen")).to_contain_text("off the menu")
    tab.order(ramen=1)
    expect(tab.orders.first).to_contain_text("a dish is off the menu")
    switch.click()

    expect(switch).to_have_attribute("aria-checked", "true")
    expect(tab.page.locator("#offer-ramen")).not_to_contain_text("off the menu")


def test_double_click_and_an_impatient_finger_order_once(visit: Visit, server: Server) -> None:
    tab = visit().open()
    tab.is_live()

    tab.page.locator("#place-order").dblclick()
    tab.shows("accepted")
    # Two submissions before the first is answered, as a script or a broken mouse would send them.
    tab.page.evaluate("[1, 2].forEach(() => document.getElementById('new-order').requestSubmit())")
    tab.shows("accepted", 2)

    assert len(server.get("/api/v1/orders")["items"]) == 2


def test_order_that_is_refused_says_why_and_keeps_what_was_typed(visit: Visit) -> None:
    visitor = visit()
    tab = visitor.open()
    tab.page.locator("#order-phone").fill("call me")

    tab.order(ramen=2)

    expect(tab.page.get_by_role("alert")).to_contain_text("phone")
    expect(tab.page.locator("#quantity-ramen")).to_have_value("2")
    assert [text for text in visitor.complaints if "422" not in text] == []
    visitor.complaints.clear()


def test_news_leaves_the_focus_and_what_is_being_typed_alone(visit: Visit, server: Server) -> None:
    tab = visit().open()
    tab.is_live()
    name = tab.page.locator("#order-name")
    tab.page.locator("#quantity-ramen").fill("3")
    name.fill("Grace Hop")

    for _ in range(3):
        server.post("/api/v1/orders", {"restaurant_id": "demo", "lines": [{"sku": "ramen", "quantity": 1}],
                                       "customer": {"name": "Ada"}})  # fmt: skip
    tab.shows("accepted", 3)
    name.press_sequentially("per")

    expect(name).to_be_focused()
    expect(name).to_have_value("Grace Hopper")
    expect(tab.page.locator("#quantity-ramen")).to_have_value("3")
