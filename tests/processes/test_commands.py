"""Commands look at what is owed, and carry nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modular_app.app import create_app
from tests.processes.books import Books
from tests.server.server import ROOT, environment

MARGHERITA = {
    "restaurant_id": "demo",
    "lines": [{"sku": "margherita", "quantity": 2}],
    "customer": {"name": "Ada"},
}


def owe_an_order(url: str) -> None:
    """Place an order in a process whose bus has ended already."""
    app = create_app({"DATABASE_URL": url, "TESTING": True})
    parts = app.extensions["modular-app"]
    parts.bus.close()
    assert app.test_client().post("/api/v1/orders", json=MARGHERITA).status_code == 201
    for database in parts.databases.values():
        database.close()


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (["bus", "status"], ""),
        (["bus", "check"], ""),
        (["bus", "events", "order.placed"], ""),
        (["routes"], ""),
        (["shell"], "import threading; print(threading.active_count(), 'thread')\n"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_scenario_17_command_leaves_what_is_owed_to_a_process_that_serves(
    command: list[str], typed: str, tmp_path: Path
) -> None:
    owe_an_order(f"sqlite:///{tmp_path}/{{module}}.db")
    before = Books(f"sqlite:///{tmp_path}/{{module}}.db").owed_to("restaurant")

    ran = subprocess.run(
        [sys.executable, "-m", "flask", *command],
        cwd=ROOT,
        env=environment(tmp_path),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Traceback" not in ran.stderr
    assert ("1 thread" in ran.stdout) == bool(typed)
    assert Books(f"sqlite:///{tmp_path}/{{module}}.db").owed_to("restaurant") == before
    assert [sends for _, sends in before] == [0]
