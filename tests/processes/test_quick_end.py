"""A server on PostgreSQL is told to end at once: what its workers run is rolled back, and due for the next process."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.conftest import set_up
from tests.processes.test_endings import FLASK, GUNICORN, MARGHERITA, Kitchen, kitchen
from tests.server.server import wait_until

#: Listeners that run at the same time.
COOKS = 4


@contextmanager
def busy_kitchen(url: str, folder: Path, command: tuple[str, ...]) -> Iterator[Kitchen]:
    """Run a server whose cooks each linger over an order, while one more order waits for them."""
    settings = {"FLASK_BUS_WORKERS": str(COOKS), "FLASK_BUS_GRACE": "1m"}
    with kitchen(folder, command, url, **settings) as shop:
        for _ in range(COOKS + 1):
            shop.server.post("/api/v1/orders", MARGHERITA)
        wait_until(lambda: (folder / "began").exists() and len((folder / "began").read_text().split()) == COOKS)
        wait_until(lambda: len(shop.books.owed_to("kitchen")) == COOKS + 1)
        yield shop


@pytest.mark.parametrize(
    ("command", "second"),
    [
        pytest.param(FLASK, signal.SIGTERM, id="flask-SIGTERM"),
        pytest.param(GUNICORN, signal.SIGQUIT, id="gunicorn-SIGQUIT"),
    ],
)
def test_second_signal_makes_everything_due_at_once_that_several_workers_run(
    command: tuple[str, ...], second: signal.Signals, fresh_postgresql_url: str, tmp_path: Path
) -> None:
    set_up(fresh_postgresql_url)
    with busy_kitchen(fresh_postgresql_url, tmp_path, command) as shop:
        shop.tell(signal.SIGTERM)
        shop.server.process.send_signal(second)
        took = shop.seconds_to_its_end()

        owed, now = shop.books.owed_to("kitchen"), time.time_ns() // 1000
        marked = shop.books.publications("kitchen", "kitchen.linger")
    assert took < 20
    assert [(due_at <= now, sends) for due_at, sends in owed] == [(True, 0)] * (COOKS + 1)
    assert marked == []
