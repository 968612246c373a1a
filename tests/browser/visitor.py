"""A person with a browser: opens the page, and takes note of what goes wrong behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

#: Milliseconds that a page has to show what was done; servers share their machine with other tests.
PATIENCE = 8_000

#: Milliseconds that a page may take to come, beside whatever else the machine has to do.
ARRIVAL = 60_000


class Visitor:
    """One browser with its tabs, on one server."""

    def __init__(self, browser: Browser, root: str, **settings: Any) -> None:
        expect.set_options(timeout=PATIENCE)
        self.context: BrowserContext = browser.new_context(base_url=root, **settings)
        self.context.set_default_timeout(PATIENCE)
        self.context.set_default_navigation_timeout(ARRIVAL)
        self.root = root
        self.complaints: list[str] = []
        self.strangers: set[str] = set()
        self.context.on("console", self._note)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("request", self._look_where)

    def open(self, path: str = "/") -> Tab:
        """Open a tab."""
        page = self.context.new_page()
        page.goto(path)
        return Tab(page)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _look_where(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.root).netloc:
            self.strangers.add(request.url)


class Tab:
    """One tab with the page in it, and what people do there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def orders(self) -> Locator:
        """The orders that the customer sees."""
        return self.page.locator(".slip")

    @property
    def tickets(self) -> Locator:
        """The tickets that the kitchen sees, each a button."""
        return self.page.locator(".ticket button")

    def is_live(self) -> None:
        """Expect that the page hears of changes."""
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "live")

    def order(self, **quantities: int) -> None:
        """Order so many of each dish, and nothing else; without any, what the form has chosen."""
        if quantities:
            for field in self.page.locator(".dish input").all():
                field.fill("0")
        for sku, quantity in quantities.items():
            self.page.locator(f"#quantity-{sku}").fill(str(quantity))
        self.page.locator("#place-order").click()

    def shows(self, status: str, count: int = 1) -> None:
        """Expect so many orders of a status."""
        expect(self.page.locator(f".slip.is-{status}")).to_have_count(count)

    def press(self, name: str) -> None:
        """Press the button with that id."""
        self.page.locator(f"#{name}").click()
