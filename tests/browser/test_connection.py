"""The page stays live: over a crash of the server, in many tabs, and where every stream is taken."""

from __future__ import annotations

import urllib.error
import urllib.request
from contextlib import ExitStack

from playwright.sync_api import expect

from modular_app.bell import MAX_STREAMS_OF_FLASK
from tests.browser.conftest import Visit
from tests.server.server import Server, wait_until


def test_page_outlives_a_server_that_is_killed_and_started_again(visit: Visit, server: Server) -> None:
    visitor = visit()
    tab = visitor.open()
    tab.is_live()
    tab.order()
    expect(tab.orders).to_have_count(1)

    server.kill()
    expect(tab.page.locator("#connection")).to_have_text("The server does not answer. Trying again …")
    tab.press("place-order")
    expect(tab.page.get_by_role("alert")).to_contain_text("this was not sent")
    server.start()
    tab.is_live()
    tab.press("place-order")

    tab.shows("accepted", 2)
    expect(tab.page.get_by_role("alert")).to_be_hidden()
    assert [text for text in visitor.complaints if "ERR_" not in text and not text.startswith("htmx:")] == []
    visitor.complaints.clear()


def test_seven_tabs_are_live_at_once(visit: Visit) -> None:
    visitor = visit()
    tabs = [visitor.open() for _ in range(7)]
    for tab in tabs:
        tab.is_live()

    tabs[-1].order()

    for tab in tabs:
        tab.shows("accepted")


def test_page_asks_by_itself_where_every_stream_is_taken(visit: Visit, server: Server) -> None:
    visitor = visit()
    with ExitStack() as streams:
        for _ in range(MAX_STREAMS_OF_FLASK):
            streams.enter_context(urllib.request.urlopen(f"{server.root}/bell", timeout=60))
        tab = visitor.open()
        expect(tab.page.locator("#connection")).to_have_attribute("data-state", "poll")

        server.post("/api/v1/orders", {"restaurant_id": "demo", "lines": [{"sku": "ramen", "quantity": 1}],
                                       "customer": {"name": "Ada"}})  # fmt: skip

        tab.shows("accepted")
    assert [text for text in visitor.complaints if "503" not in text] == []
    visitor.complaints.clear()


def test_tab_that_is_closed_frees_its_stream(visit: Visit, server: Server) -> None:
    with ExitStack() as streams:
        for _ in range(MAX_STREAMS_OF_FLASK - 1):
            streams.enter_context(urllib.request.urlopen(f"{server.root}/bell", timeout=60))
        visitor = visit()
        visitor.open().is_live()
        assert not has_a_stream_to_spare(server)

        visitor.context.close()

        wait_until(lambda: has_a_stream_to_spare(server))


def has_a_stream_to_spare(server: Server) -> bool:
    try:
        urllib.request.urlopen(f"{server.root}/bell", timeout=60).close()
    except urllib.error.HTTPError:
        return False
    return True
