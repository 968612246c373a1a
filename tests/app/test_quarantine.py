"""What comes over a broker and is no message of ours: it is kept for an operator, and no order waits for it."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from flask import Flask

from bus.transport.dramatiq.transport import DramatiqTransport
from tests.app.conftest import MakeApp
from tests.app.counter import Counter
from tests.brokers import PAIRS
from tests.contracts.queue import Queue
from tests.server.server import wait_until

#: Bytes that are no message, more of them than are kept, and how many are.
GARBAGE, KEPT = b"\x00\xff" * 50_000, 64 * 1024


@pytest.mark.parametrize(("broker_url", "database_url"), PAIRS, indirect=True)
def test_scenario_34_garbage_among_orders_is_shown_to_an_operator_and_the_orders_are_accepted(
    make_app: MakeApp, broker_url: str, application: str
) -> None:
    transport = DramatiqTransport(broker_url, application=application, threads=4)
    counter = Counter(app := make_app(transport=transport))
    order_ids = [counter.place_and_settle()]
    order_ids += [counter.place() for _ in range(19)]
    Queue(transport.broker, transport.queue_of("restaurant")).put(GARBAGE)
    order_ids += [counter.place() for _ in range(19)]
    counter.settle()
    wait_until(lambda: told(app, "list")["quarantined"])

    [listed] = told(app, "list")["quarantined"]
    shown = told(app, "show", listed["digest"])

    assert {counter.status(order_id) for order_id in order_ids} == {"accepted"}
    assert (listed["module"], listed["times"], listed["size"]) == ("restaurant", 1, len(GARBAGE))
    assert b64decode(shown["data"]) == GARBAGE[:KEPT]


def told(app: Flask, *command: str) -> Any:
    """Return what `flask bus quarantine` says."""
    return json.loads(app.test_cli_runner().invoke(args=["bus", "quarantine", *command, "--json"]).stdout)
