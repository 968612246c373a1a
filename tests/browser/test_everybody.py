"""The page for everybody: without JavaScript, with a keyboard alone, on every screen, with help to read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Tab
from tests.server.server import ROOT, Server, wait_until

SCREENS = [(390, 844, "light"), (390, 844, "dark"), (820, 1180, "light"), (1440, 1200, "light"), (1440, 1200, "dark")]
#: The pictures of the README; they are made anew where `PICTURES` is set.
PICTURES = ("page-1440-light.png", "page-1440-dark.png", "page-390-light.png")


def test_story_works_without_javascript(visit: Visit, server: Server) -> None:
    tab = visit(java_script_enabled=False).open()
    expect(tab.page.locator(".script-only").first).to_be_hidden()

    tab.order(tiramisu=2)
    wait_until(lambda: server.get("/api/v1/kitchen/tickets")["items"])
    tab.page.get_by_role("link", name="Show what is new").click()
    for _ in ("start", "finish"):
        tab.tickets.click()
    wait_until(lambda: server.get("/api/v1/orders?status=ready")["items"])
    tab.page.reload()
    tab.orders.get_by_role("button").click()

    tab.shows("completed")


def test_form_is_sent_twice_without_javascript_and_orders_once(visit: Visit, server: Server) -> None:
    tab = visit(java_script_enabled=False).open()
    form_id = tab.page.locator("[name=form_id]").get_attribute("value") or ""

    form: dict[str, str | float | bool] = {"restaurant_id": "demo", "quantity.ramen": "1", "name": "Ada"}
    form["form_id"] = form_id
    answers = [tab.page.request.post("/order/place", form=form, max_redirects=0).status for _ in range(2)]

    assert answers == [303, 303]
    assert len(server.get("/api/v1/orders")["items"]) == 1


def tab_to(tab: Tab, id: str) -> None:
    """Press the tabulator until the element has the focus."""
    for _ in range(120):
        tab.page.keyboard.press("Tab")
        if (tab.page.evaluate("document.activeElement.id") or "").startswith(id):
            return
    raise AssertionError(f"no way with the tabulator leads to {id}")


def test_order_is_placed_cooked_and_collected_with_the_keyboard_alone(visit: Visit) -> None:
    tab = visit().open()
    tab.is_live()

    tab_to(tab, "quantity-espresso")
    tab.page.keyboard.type("2")
    tab_to(tab, "place-order")
    tab.page.keyboard.press("Enter")
    tab.shows("accepted")
    tab_to(tab, "cook-")
    tab.page.keyboard.press("Enter")
    expect(tab.tickets).to_contain_text("Finish")
    expect(tab.tickets).to_be_focused()
    tab.page.keyboard.press("Space")
    tab.shows("ready")
    tab_to(tab, "act-")
    tab.page.keyboard.press("Enter")

    tab.shows("completed")


def fill(tab: Tab) -> None:
    """Bring the page into every state that it can show at once."""
    for number, dishes in enumerate(({"margherita": 1, "espresso": 2}, {"ramen": 2}, {"bibimbap": 1}), start=1):
        tab.order(**dishes)
        tab.shows("accepted", number)
    for _ in range(2):
        tab.tickets.first.click()
        expect(tab.tickets.first).to_contain_text("Start" if _ else "Finish")
    tab.tickets.first.click()
    tab.page.get_by_role("switch", name="Bibimbap on the menu").click()
    expect(tab.page.locator("#offer-bibimbap")).to_contain_text("off the menu")
    tab.order(bibimbap=1)
    tab.shows("rejected")
    tab.press("fault")
    expect(tab.page.locator(".trials")).to_contain_text("armed")
    tab.order(carbonara=2, tiramisu=1)
    expect(tab.page.locator("#panel-kitchen .failing")).to_contain_text("of 3")


def test_page_fits_every_screen_and_nothing_hinders_those_who_need_help(visit: Visit, tmp_path: Path) -> None:
    first = visit(viewport={"width": 1440, "height": 1000}).open()
    fill(first)

    for width, height, scheme in SCREENS:
        tab = visit(viewport={"width": width, "height": height}, color_scheme=scheme).open()
        tab.is_live()
        picture = f"page-{width}-{scheme}.png"
        is_wanted = picture in PICTURES and "PICTURES" in os.environ
        tab.page.screenshot(path=(ROOT / "docs" / "images" if is_wanted else tmp_path) / picture)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(tab.page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in found] == []
        tab.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paused_kitchen_can_be_read_too(visit: Visit, scheme: str) -> None:
    tab = visit(color_scheme=scheme, reduced_motion="reduce").open()
    tab.press("kitchen-rest")
    tab.order()
    expect(tab.page.locator("#fare-kitchen")).to_contain_text("1 waiting")

    found = Axe().run(tab.page).response["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in found] == []
