"""`gunicorn --preload -w 4` is told to end under load, ten times: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.app.conftest import set_up
from tests.processes.books import Books
from tests.processes.customers import Customers
from tests.prove.databases import fresh
from tests.prove.finding import Finding, at_most, exactly
from tests.server.server import Server, running_server, wait_until

COMMAND = (sys.executable, "-m", "gunicorn", "--preload", "-w", "4", "-b", "127.0.0.1:{port}", "wsgi:app")

#: How often it is told to end, and the orders that are answered before.
ROUNDS, ORDERS = 10, 60

#: Seconds that gunicorn waits for its processes before it kills them.
GRACEFUL = 30

#: Seconds within which everything is delivered after the last start; what was handed over lies for ten of them.
SETTLED = 60


def prove() -> Iterator[Finding]:
    with fresh("application") as found:
        for name, [url] in found.items():
            set_up(url)
            with tempfile.TemporaryDirectory() as folder:
                yield from _proved(name, url, Path(folder))


def _proved(name: str, url: str, folder: Path) -> Iterator[Finding]:
    books = Books(url)
    with running_server(folder, COMMAND, FLASK_DATABASE_URL=url) as server:
        customers = Customers(server)
        took = sorted(_seconds_to_end(server, customers) for _ in range(ROUNDS))
        began = time.monotonic()
        wait_until(books.is_settled)
        settled = time.monotonic() - began
    yield at_most(f"{name}, seconds to each end: median {took[ROUNDS // 2]:.1f}, longest", took[-1], GRACEFUL)
    yield at_most(f"{name}, seconds from the last start until nothing is owed", settled, SETTLED)
    yield exactly(f"{name}, answers that showed another order", len(customers.strange), 0)
    for what, count in books.wrongs(customers.answered).items():
        yield exactly(f"{name}, {len(customers.answered):,} answered: {what}", count, 0)


def _seconds_to_end(server: Server, customers: Customers) -> float:
    """Tell the server to end while customers order, start it again, and return how long it took to end."""
    with customers.ordering():
        customers.wait_for(ORDERS)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(2 * GRACEFUL)
        took = time.monotonic() - began
    server.start()
    wait_until(server.answers)
    return took
