"""The page, and those who watch the process, learn where events travel."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from bus.assembly import IN_PROCESS
from tests.app.conftest import MakeApp
from tests.app.counter import Counter
from tests.durable.faults import until
from tests.gate import Gate


@pytest.fixture
def gate(broker_url: str) -> Iterator[Gate]:
    with Gate(broker_url) as gate:
        yield gate


def badge(counter: Counter) -> str:
    found = re.search(r'id="travels"><strong class="([^"]*)">([^<]*)<', counter.client.get("/live").text)
    assert found is not None
    return f"{found[2]} ({found[1]})"


def test_events_of_one_process_travel_there(make_app: MakeApp) -> None:
    counter = Counter(make_app(BUS_URL=IN_PROCESS))

    assert badge(counter) == "in one process (badge)"


def test_events_over_a_broker_travel_between_the_processes_that_are_connected(make_app: MakeApp, gate: Gate) -> None:
    counter = Counter(make_app(BUS_URL=gate.url))

    until(lambda: re.fullmatch(r"(RabbitMQ|Redis), 1 process \(badge\)", badge(counter)))


@pytest.mark.parametrize("scheme", ["dramatiq+amqp", "dramatiq+redis"])
def test_application_connects_to_its_broker_with_the_first_request_and_not_before(
    make_app: MakeApp, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.setblocking(False)
        app = make_app(BUS_URL=f"{scheme}://127.0.0.1:{broker.getsockname()[1]}")

        with pytest.raises(BlockingIOError):
            broker.accept()
        broker.settimeout(10)
        app.test_client().get("/healthz")
        connected, _ = broker.accept()
        connected.close()


def test_broker_that_is_away_is_told(make_app: MakeApp, gate: Gate) -> None:
    counter = Counter(make_app(BUS_URL=gate.url))
    until(lambda: "1 process" in badge(counter))

    gate.shut()

    until(lambda: re.fullmatch(r"(RabbitMQ|Redis): does not answer \(badge stopped\)", badge(counter)))
    answer = counter.client.get("/readyz")
    assert (answer.status_code, answer.json["checks"]["transport"]) == (503, "does not answer")  # type: ignore[index]
