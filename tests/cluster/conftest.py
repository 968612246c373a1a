from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus.testing.contracts.transport import Station
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.cluster.wiping import wipe
from tests.contracts.queue import Queue


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
