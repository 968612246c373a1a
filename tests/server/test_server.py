"""The application as a stranger runs it: a real process, asked over HTTP."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.server.server import ROOT, Server, environment, running_server, wait_until

MARGHERITA = {
    "restaurant_id": "demo",
    "lines": [{"sku": "margherita", "quantity": 2}],
    "customer": {"name": "Ada"},
}


def has_status(server: Server, order_id: str, status: str) -> bool:
    return bool(server.get(f"/api/v1/orders/{order_id}")["status"] == status)


def ticket_of(server: Server, order_id: str) -> str:
    tickets = server.get("/api/v1/kitchen/tickets?limit=200")["items"]
    return next(str(ticket["ticket_id"]) for ticket in tickets if ticket["order_id"] == order_id)


def test_order_travels_from_the_customer_to_the_kitchen_and_back(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        order_id = server.post("/api/v1/orders", MARGHERITA)["order_id"]
        wait_until(lambda: has_status(server, order_id, "accepted"))
        ticket_id = ticket_of(server, order_id)

        server.post(f"/api/v1/kitchen/tickets/{ticket_id}/start")
        wait_until(lambda: has_status(server, order_id, "preparing"))
        server.post(f"/api/v1/kitchen/tickets/{ticket_id}/finish")
        wait_until(lambda: has_status(server, order_id, "ready"))
        collected = server.post(f"/api/v1/orders/{order_id}/collect")

        history = [entry["status"] for entry in server.get(f"/api/v1/orders/{order_id}")["history"]]
        assert collected["status"] == "completed"
        assert history == ["placed", "accepted", "preparing", "ready", "completed"]


def place_until_killed(server: Server, answered: list[str], enough: threading.Event) -> None:
    while True:
        try:
            answered.append(server.post("/api/v1/orders", MARGHERITA)["order_id"])
        except (urllib.error.URLError, ConnectionError, OSError):
            return
        if len(answered) >= 120:
            enough.set()


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def killed_in_the_middle_of_orders(folder: Path) -> list[str]:
    """Return the ids of the orders that were answered before the server was killed."""
    answered: list[str] = []
    enough = threading.Event()
    with running_server(folder) as server:
        clients = [threading.Thread(target=place_until_killed, args=(server, answered, enough)) for _ in range(4)]
        for client in clients:
            client.start()
        enough.wait(60)
        server.kill()
        for client in clients:
            client.join(60)
    return answered


def test_orders_that_were_answered_before_a_kill_are_accepted_after_the_restart(tmp_path: Path) -> None:
    answered = killed_in_the_middle_of_orders(tmp_path)

    with running_server(tmp_path) as server:
        server.get("/readyz")
        wait_until(lambda: not rows(tmp_path / "order.db", "select 1 from bus_outbox limit 1"))
        wait_until(lambda: not rows(tmp_path / "restaurant.db", "select 1 from bus_outbox limit 1"))
        wait_until(lambda: not rows(tmp_path / "kitchen.db", "select 1 from bus_outbox limit 1"))
        states = Counter(server.get(f"/api/v1/orders/{order_id}")["status"] for order_id in answered)
        menu = server.get("/api/v1/restaurants/demo/menu")["items"]

    placed = [str(row[0]) for row in rows(tmp_path / "order.db", "select order_id from orders")]
    tickets = [str(row[0]) for row in rows(tmp_path / "kitchen.db", "select order_id from tickets")]
    assert states == {"accepted": len(answered)}
    assert sorted(tickets) == sorted(placed)
    assert next(dish["stock"] for dish in menu if dish["sku"] == "margherita") == 1_000_000 - 2 * len(placed)


def test_sigterm_ends_the_server_in_order_and_leaves_nothing_undelivered(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        for _ in range(20):
            server.post("/api/v1/orders", MARGHERITA)
        server.close()

    assert server.process.returncode == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def commands_of_the_readme(server: Server) -> list[str]:
    """Return the curl commands in the README, for this server."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    commands = re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)
    return [found.replace("http://127.0.0.1:5000", server.root) for found in commands if found.startswith("curl")]


def answer_of(command: str) -> str:
    return subprocess.run(["bash", "-ec", command], capture_output=True, text=True, timeout=60, check=True).stdout


def test_commands_of_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        menu, order, orders, tickets = commands_of_the_readme(server)

        assert "margherita" in answer_of(menu)
        assert '"status":"placed"' in answer_of(order)
        wait_until(lambda: '"status":"accepted"' in answer_of(orders))
        assert "ticket_id" in answer_of(tickets)


@pytest.mark.parametrize("command", [["status"], ["explain", "order.placed"]])
def test_bus_commands_of_the_readme_answer_beside_a_running_server(command: list[str], tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        server.post("/api/v1/orders", MARGHERITA)
        ran = subprocess.run(
            [sys.executable, "-m", "flask", "bus", *command],
            cwd=ROOT,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert ran.returncode == 0, ran.stderr
    assert "restaurant" in ran.stdout


def test_page_shows_the_three_panels(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, urllib.request.urlopen(server.root, timeout=60) as answer:
        page = answer.read().decode()

    for panel in ("Order", "Restaurant", "Kitchen"):
        assert panel.lower() in page.lower()


def test_wrong_setting_is_told_in_a_sentence_and_without_a_traceback(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "flask", "run"],
        cwd=ROOT,
        env=environment(tmp_path, FLASK_BUS_URL="inproc://"),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: the environment (FLASK_BUS_URL) sets BUS_URL to 'inproc://'")
    assert "did you mean inprocess://?" in ran.stderr
