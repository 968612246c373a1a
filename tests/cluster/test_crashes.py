"""A message that kills each worker that takes it in."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from bus.testing.contracts.transport import Station
from tests.brokers import PAIRS
from tests.cluster.kitchen import kitchen_at, ordered, publications, tickets
from tests.contracts.queue import Queue
from tests.server.server import PATIENCE, ROOT, wait_until

#: Orders, and the one among them that kills whoever runs its listener.
ORDERS, POISON = range(8), 3

#: The first death is noted by the broker alone. The second is noted in the inbox, and counts for nothing: others ran
#: beside it. One of a run that was alone is the limit here.
DEATHS = 3


@pytest.mark.parametrize(("broker_url", "database_url"), PAIRS, indirect=True)
def test_scenario_21_message_that_kills_its_worker_is_a_dead_letter_and_its_neighbours_complete(
    publisher: Station, queue: Queue, database_url: str, broker_url: str, application: str
) -> None:
    with closing(kitchen_at(database_url)) as kitchen:
        kitchen.create_tables()
    where = database_url.format(module="kitchen"), broker_url, application
    send_all(publisher, sends=1)

    exit_codes = [die(*where, hours) for hours in range(DEATHS)]
    with worker(*where, DEATHS):
        wait_until(lambda: states(database_url) == ["completed"] * (len(ORDERS) - 1) + ["dead"])
        # The acknowledgements of the dead are lost, and their publisher sends again.
        send_all(publisher, sends=2)
        assert publisher.has_heard(len(ORDERS), PATIENCE)
        wait_until(lambda: queue.count() == 0)

    rows = publications(database_url)
    dead = rows.pop(f"event-{POISON}")
    assert exit_codes == [-signal.SIGKILL] * DEATHS
    assert (dead.reason, dead.crashes) == ("crashed", 1)
    assert {(row.state, row.crashes) for row in rows.values()} == {("completed", 0)}
    assert tickets(database_url) == [order_id for order_id in ORDERS if order_id != POISON]


def states(url: str) -> list[str]:
    return sorted(row.state for row in publications(url).values())


def send_all(publisher: Station, *, sends: int) -> None:
    for order_id in ORDERS:
        publisher.transport.send("kitchen", ordered(order_id), sends)


def die(url: str, broker_url: str, application: str, hours: int) -> int:
    with worker(url, broker_url, application, hours) as process:
        return process.wait(PATIENCE)


@contextmanager
def worker(url: str, broker_url: str, application: str, hours: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker so many hours later, for the length of a block at most."""
    command = [sys.executable, "-m", "tests.cluster.dying", url, broker_url, application, str(hours), str(POISON)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)
