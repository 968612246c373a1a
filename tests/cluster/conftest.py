from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.testing.contracts.transport import Station
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.app.conftest import set_up
from tests.cluster.wiping import wipe
from tests.cluster.workers import Settings
from tests.contracts.queue import Queue
from tests.processes.books import Books


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the broker after each test: what a failed one leaves would be delivered to the next."""
    url = request.getfixturevalue("broker_url") if "broker_url" in request.fixturenames else None
    yield
    if url is not None:
        wipe(url)


@pytest.fixture
def publisher(broker_url: str, application: str) -> Iterator[Station]:
    """Host the module whose events they are."""
    transport = DramatiqTransport(broker_url, application=application, threads=1)
    yield Station(transport, "order")
    transport.close()
    transport.end()


@pytest.fixture
def queue(publisher: Station) -> Queue:
    """Look into the queue of the kitchen."""
    assert isinstance(publisher.transport, DramatiqTransport)
    return Queue(publisher.transport.broker, publisher.transport.queue_of("kitchen"))


@pytest.fixture
def settings(broker_url: str, fresh_database_url: str) -> Settings:
    """Give the settings of an application over the broker, on databases that have their tables."""
    set_up(fresh_database_url)
    # Each process has the connections that it needs, of those that a server has for all tests.
    return {"FLASK_BUS_URL": broker_url, "FLASK_DATABASE_URL": fresh_database_url} | (
        {} if fresh_database_url.startswith("sqlite") else {"FLASK_BUS_WORKERS": "2"}
    )


@pytest.fixture
def books(fresh_database_url: str) -> Books:
    return Books(fresh_database_url)
