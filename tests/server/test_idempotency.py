"""Clients whose server dies send their orders again, to the next one, and have ordered once."""

from __future__ import annotations

import threading
import urllib.error
from pathlib import Path

from tests.server.server import Server, running_server
from tests.server.test_server import MARGHERITA, rows


def send(server: Server, key: str) -> str:
    return str(server.post("/api/v1/orders", MARGHERITA, {"Idempotency-Key": key})["order_id"])


def send_until_killed(server: Server, sent: list[str], answered: dict[str, str], enough: threading.Event) -> None:
    name = threading.current_thread().name
    while True:
        key = f"{name}-{len(sent)}"
        sent.append(key)
        try:
            answered[key] = send(server, key)
        except (urllib.error.URLError, ConnectionError, OSError):
            return
        if len(answered) >= 60:
            enough.set()


def test_orders_that_are_sent_again_after_a_kill_are_placed_once(tmp_path: Path) -> None:
    sent: list[str] = []
    answered: dict[str, str] = {}
    enough = threading.Event()
    with running_server(tmp_path) as server:
        clients = [threading.Thread(target=send_until_killed, args=(server, sent, answered, enough)) for _ in range(4)]
        for client in clients:
            client.start()
        assert enough.wait(60)
        server.kill()
        for client in clients:
            client.join(60)

    with running_server(tmp_path) as server:
        again = {key: send(server, key) for key in sent}

    assert {key: again[key] for key in answered} == answered
    assert sorted(again.values()) == sorted(
        str(row[0]) for row in rows(tmp_path / "order.db", "select order_id from orders")
    )
    assert len(sent) - len(answered) == 4
