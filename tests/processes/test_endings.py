"""How servers end: what runs is finished or given back, whichever way the end was asked for."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.conftest import set_up
from tests.processes.books import Books
from tests.server.server import Server, running_server, wait_until

APP = "tests.processes.lingering:app"
FLASK = (sys.executable, "-m", "flask", "--app", APP, "run")
#: It waits for longer than any of these tests.
GUNICORN = (sys.executable, "-m", "gunicorn", "-w", "1", "-b", "127.0.0.1:{port}", "--graceful-timeout", "60", APP)
PRELOADING = (*GUNICORN, "--preload")

MARGHERITA = {
    "restaurant_id": "demo",
    "lines": [{"sku": "margherita", "quantity": 2}],
    "customer": {"name": "Ada"},
}

on_each_server = pytest.mark.parametrize("command", [FLASK, GUNICORN, PRELOADING], ids=["flask", "each", "preload"])


class Kitchen:
    """A server whose cook lingers over an order."""

    def __init__(self, server: Server, folder: Path, url: str) -> None:
        self.server = server
        self.books = Books(url)
        self._folder = folder

    def begin_to_cook(self) -> None:
        """Have one order on the stove, and another one that waits for the cook."""
        for _ in range(2):
            self.server.post("/api/v1/orders", MARGHERITA)
        wait_until((self._folder / "began").exists)
        wait_until(lambda: len(self.books.owed_to("kitchen")) == 2)

    def let_the_cook_end(self) -> None:
        (self._folder / "may_end").touch()

    def tell(self, number: signal.Signals) -> None:
        """Tell the server to end, and wait until what waits for the cook is given back."""
        self.server.process.send_signal(number)
        wait_until(lambda: 0 in [sends for _, sends in self.books.owed_to("kitchen")])

    def seconds_to_its_end(self) -> float:
        began = time.monotonic()
        assert self.server.process.wait(40) == 0
        return time.monotonic() - began


@contextmanager
def kitchen(folder: Path, command: tuple[str, ...], url: str | None = None, **settings: str) -> Iterator[Kitchen]:
    url = url or f"sqlite:///{folder}/{{module}}.db"
    with running_server(folder, command, LINGERING=str(folder), FLASK_DATABASE_URL=url, **settings) as server:
        found = Kitchen(server, folder, url)
        try:
            yield found
        finally:
            found.let_the_cook_end()


@on_each_server
def test_scenario_15_listener_that_runs_when_its_server_is_told_to_end_is_finished(
    command: tuple[str, ...], fresh_database_url: str, tmp_path: Path
) -> None:
    set_up(fresh_database_url)
    with kitchen(tmp_path, command, fresh_database_url, FLASK_BUS_WORKERS="1") as shop:
        shop.begin_to_cook()
        shop.tell(signal.SIGTERM)
        shop.let_the_cook_end()
        shop.seconds_to_its_end()

        assert shop.books.publications("kitchen", "kitchen.linger") == [("completed", None, 0)]
        assert [sends for _, sends in shop.books.owed_to("kitchen")] == [0]


@pytest.mark.parametrize(
    ("command", "first", "second"),
    [
        pytest.param(FLASK, signal.SIGTERM, signal.SIGTERM, id="flask-twice-SIGTERM"),
        pytest.param(FLASK, signal.SIGINT, signal.SIGINT, id="flask-twice-Ctrl-C"),
        pytest.param(GUNICORN, signal.SIGTERM, signal.SIGQUIT, id="gunicorn-SIGTERM-SIGQUIT"),
        pytest.param(PRELOADING, signal.SIGTERM, signal.SIGINT, id="preload-SIGTERM-Ctrl-C"),
    ],
)
def test_second_signal_ends_a_server_at_once_and_what_it_ran_is_due(
    command: tuple[str, ...], first: signal.Signals, second: signal.Signals, tmp_path: Path
) -> None:
    with kitchen(tmp_path, command, FLASK_BUS_GRACE="1m") as shop:
        shop.begin_to_cook()
        shop.tell(first)
        shop.server.process.send_signal(second)
        took = shop.seconds_to_its_end()

        owed, now = shop.books.owed_to("kitchen"), time.time_ns() // 1000
    assert took < 20
    assert [(due_at <= now, sends) for due_at, sends in owed] == [(True, 0), (True, 0)]
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize("command", [GUNICORN, PRELOADING], ids=["each", "preload"])
def test_quick_end_of_gunicorn_waits_for_no_listener(command: tuple[str, ...], tmp_path: Path) -> None:
    with kitchen(tmp_path, command, FLASK_BUS_GRACE="1m") as shop:
        shop.begin_to_cook()
        shop.server.process.send_signal(signal.SIGQUIT)
        took = shop.seconds_to_its_end()

        owed = shop.books.owed_to("kitchen")
    assert took < 20
    assert [sends for _, sends in owed] == [0, 0]


def test_listener_that_outlives_the_grace_of_a_process_is_taken_by_the_next_one(tmp_path: Path) -> None:
    with kitchen(tmp_path, FLASK, FLASK_BUS_GRACE="1s") as shop:
        shop.begin_to_cook()
        shop.tell(signal.SIGTERM)
        shop.seconds_to_its_end()
        owed, now = shop.books.owed_to("kitchen"), time.time_ns() // 1000
        shop.let_the_cook_end()
        shop.server.start()
        wait_until(shop.server.answers)
        wait_until(shop.books.is_settled)

        assert [due_at <= now for due_at, _ in owed] == [True, True]
        assert shop.books.publications("kitchen", "kitchen.linger") == [("completed", None, 0)] * 2
    assert len((tmp_path / "began").read_text().split()) == 3
