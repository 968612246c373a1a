"""What does an order cost over HTTP, and how soon is it accepted?

    python -m benchmarks.http

Orders are posted by 8 clients to the application under gunicorn with threads, beside a bare Flask endpoint under the
same server that commits the same ORM rows in one transaction, with no bus. The rate is that of the answers; after it
the time is taken until every order is accepted, and what the databases hold is checked: stock, tickets, dead letters.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.rounds import medians, verdict

ROOT = Path(__file__).parents[1]

#: Orders in one round, clients that post them, rounds that count.
ORDERS, CLIENTS, ROUNDS = 2000, 8, 5

#: Threads of the server.
THREADS = 8

#: The stock of each dish of the demo menu at the start.
STOCK = 1_000_000

#: Seconds that a server has to start, or to accept every order.
PATIENCE = 120.0

BODY = json.dumps(
    {"restaurant_id": "demo", "lines": [{"sku": "ramen", "quantity": 2}], "customer": {"name": "Ada"}}
).encode()

#: Seconds from the last answer until every order of a round was accepted.
lags: list[float] = []


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def post_order(self) -> None:
        """Post an order, which has to be taken."""
        self._connection.request("POST", "/api/v1/orders", BODY, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 201, said

    def get(self, path: str) -> Any:
        """Return the JSON that a path answers."""
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())


@contextmanager
def serving(application: str, folder: Path, **environment: str) -> Iterator[int]:
    """Run gunicorn with one process and threads until the block ends; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "--threads", str(THREADS), "-b", f"127.0.0.1:{port}"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, application],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_it_answers(port)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError, ValueError):
            Client(port).get("/healthz")
            return
        time.sleep(0.05)
    raise TimeoutError("the server does not answer")


def rate(port: int) -> float:
    """Post all orders from all clients; return answers per second."""
    together = threading.Barrier(CLIENTS + 1)

    def post(client: Client) -> None:
        client.post_order()
        together.wait()
        for _ in range(ORDERS // CLIENTS - 1):
            client.post_order()

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = [pool.submit(post, Client(port)) for _ in range(CLIENTS)]
        together.wait()
        begun = time.perf_counter()
        for future in done:
            future.result()
    return (ORDERS - CLIENTS) / (time.perf_counter() - begun)


def application() -> float:
    """The orders of the application; all of them have to be accepted, once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving("wsgi:app", folder, FLASK_DATABASE_URL=f"sqlite:///{folder}/{{module}}.db") as port:
            found = rate(port)
            lags.append(seconds_until_accepted(folder))
        require_exact(folder)
        return found


def bare() -> float:
    """The same rows, and nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving("benchmarks.bare:create_app()", folder, BARE_DATABASE=f"{folder}/order.db") as port:
            return rate(port)


def seconds_until_accepted(folder: Path) -> float:
    begun = time.monotonic()
    while ask(folder, "order", "SELECT count(*) FROM orders WHERE status = 'accepted'") < ORDERS:
        if time.monotonic() > begun + PATIENCE:
            raise TimeoutError("not every order is accepted")
        time.sleep(0.02)
    return time.monotonic() - begun


def require_exact(folder: Path) -> None:
    """Raise unless stock, tickets and inboxes are what the orders have made of them."""
    stock = ask(folder, "restaurant", "SELECT stock FROM dishes WHERE sku = 'ramen'")
    assert stock == STOCK - 2 * ORDERS, f"stock {stock}"
    assert ask(folder, "kitchen", "SELECT count(DISTINCT order_id) FROM tickets") == ORDERS
    assert ask(folder, "kitchen", "SELECT count(*) FROM tickets") == ORDERS
    for module in ("order", "restaurant", "kitchen"):
        assert ask(folder, module, "SELECT count(*) FROM bus_inbox WHERE state <> 'completed'") == 0, module
    assert "database is locked" not in (folder / "server.log").read_text()


def ask(folder: Path, module: str, question: str) -> Any:
    """Return the one value that a question to a module's database has for an answer."""
    engine = create_engine(f"sqlite:///{folder}/{module}.db")
    try:
        with engine.connect() as connection:
            return connection.scalar(text(question))
    finally:
        engine.dispose()


def main() -> int:
    found = medians({"application": application, "bare": bare}, ROUNDS)
    print("orders per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in found.items()))
    print(f"seconds from the last answer until all {ORDERS:,} are accepted: {sorted(lags)[len(lags) // 2]:.1f}")
    return 0 if verdict("application / bare endpoint", found["application"] / found["bare"], at_least=0.5) else 1


if __name__ == "__main__":
    sys.exit(main())
