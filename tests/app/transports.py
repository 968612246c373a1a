"""What carries the events of the applications that tests make: `TEST_TRANSPORT`, or in one process."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from bus.transport.base import Transport
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.brokers import PAIRS

#: The transports that there are.
TRANSPORTS = ("inprocess", "stub", "rabbitmq", "redis")

#: The one that the environment has chosen for every test.
CHOSEN = os.environ.get("TEST_TRANSPORT")

#: Marks what is to hold on every transport: there each runs once, unless one is chosen.
ON_EVERY_TRANSPORT = pytest.mark.parametrize("transport_name", [CHOSEN] if CHOSEN else TRANSPORTS, indirect=True)

#: The same on both databases: in one process on each, and each of the others on one of them.
ON_EVERY_TRANSPORT_AND_BOTH = pytest.mark.parametrize(
    ("transport_name", "database_url"),
    [(CHOSEN, "sqlite"), (CHOSEN, "postgresql")]
    if CHOSEN
    else [("inprocess", "sqlite"), ("inprocess", "postgresql"), ("stub", "postgresql"), *PAIRS],
    indirect=True,
)


def carrier(name: str, request: pytest.FixtureRequest) -> Transport | None:
    """Return a transport on queues that nobody else has; None for the application's own, in one process."""
    if name == "inprocess":
        return None
    url = "dramatiq+stub://" if name == "stub" else str(request.getfixturevalue(f"{name}_url"))
    return DramatiqTransport(url, application=f"test-{uuid4().hex[:8]}", threads=4)
