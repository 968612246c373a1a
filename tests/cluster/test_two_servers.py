"""Two modules, each in a process and on a database server of its own, with a broker between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from uuid import uuid4

import pytest

from bus.failpoint import FAILPOINTS
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.cluster.half import half, place_all
from tests.durable.crashing import ShiftedClock, listen
from tests.durable.shop import Shop
from tests.durable.test_crashes import PASSED_ONCE, committed, send_and_forget
from tests.own_server import OwnServer
from tests.server.server import PATIENCE, ROOT

#: Every failpoint, on RabbitMQ and on Redis in turn: where a process dies does not depend on what lies between two.
PLACES = list(zip(cycle(["rabbitmq", "redis"]), FAILPOINTS, strict=False))


@pytest.fixture(scope="module")
def far_server(programs: Path) -> Iterator[OwnServer]:
    """Run a database server for the kitchen alone."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = OwnServer(Path(folder), programs)
        yield server
        server.end()


@pytest.fixture
def urls(far_server: OwnServer, fresh_postgresql_url: str) -> dict[str, str]:
    """Give the URL of each module's database, on a server each."""
    return {"order": fresh_postgresql_url.format(module="order"), "kitchen": far_server.url_of(uuid4().hex)}


@pytest.mark.parametrize(("broker_url", "place"), PLACES, indirect=["broker_url"])
def test_scenario_36_module_that_dies_at_a_failpoint_costs_nothing_with_the_other_on_another_server(
    broker_url: str, application: str, urls: dict[str, str], tmp_path: Path, place: str
) -> None:
    send_and_forget(urls)
    dying, other = ("kitchen", "order") if place.startswith("inbox.") else ("order", "kitchen")
    how = f"{place}={1 if place in PASSED_ONCE else 2}*kill"

    with half(other, urls[other], broker_url, application) as (bus, database):
        with started(dying, urls[dying], broker_url, application, tmp_path, BUS_FAILPOINTS=how) as process:
            if other == "order":
                place_all(bus, database, tmp_path)
            exit_code = process.wait(PATIENCE)
    with closing(recovered(urls, broker_url, application)) as shop:
        orders, seen = shop.orders(), committed(tmp_path)
        tickets, answers = sorted(shop.tickets()), sorted(shop.answers())
        keys = sorted(int(row.key) for row in shop.history())

    assert exit_code == -signal.SIGKILL, f"nothing passes {place}"
    assert len(seen) <= len(orders) <= len(seen) + 1
    assert set(seen) <= set(orders)
    assert keys == tickets == answers == orders


@contextmanager
def started(
    module: str, url: str, broker_url: str, application: str, folder: Path, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module in a process of its own, for the length of a block at most."""
    command = [sys.executable, "-m", "tests.cluster.half", module, url, broker_url, application, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def recovered(urls: dict[str, str], broker_url: str, application: str) -> Shop:
    """Return both modules in one process later, when all that was owed is delivered, over the broker."""
    transport = DramatiqTransport(broker_url, application=application, threads=2)
    shop = Shop(urls, clock=ShiftedClock(hours=2), transport=transport)
    listen(shop)
    shop.bus.drain()
    return shop
