from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import Visitor
from tests.server.server import Server, running_server

CHROMIUM = Path("/usr/bin/chromium")
#: No sandbox inside a container, and no calls to anybody of the browser's own.
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium; where it is missing tests are skipped by name, and fail where services are required."""
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("REQUIRE_SERVICES") else pytest.skip)(
            f"the browser {CHROMIUM} is missing: apt install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as server:
        yield server


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Send visitors; at the end none of them has met an error, or asked another host for anything."""
    visitors: list[Visitor] = []

    def send(**settings: Any) -> Visitor:
        visitors.append(Visitor(browser, server.root, **settings))
        return visitors[-1]

    yield send

    for visitor in visitors:
        visitor.context.close()
    assert [visitor.complaints for visitor in visitors if visitor.complaints] == []
    assert [visitor.strangers for visitor in visitors if visitor.strangers] == []
