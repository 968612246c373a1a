"""What a running application tells of a broker that is away, and of modules that nobody works for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bus import reach
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.app.conftest import MakeApp
from tests.app.counter import Counter
from tests.app.test_travels import badge
from tests.gate import Gate
from tests.server.server import wait_until

#: Seconds that stand for the half minute after which a module counts as one without a worker.
SHORT = 0.5


@pytest.fixture
def gate(broker_url: str) -> Iterator[Gate]:
    with Gate(broker_url) as gate:
        yield gate


@pytest.fixture
def publishing(gate: Gate, make_app: MakeApp, application: str) -> Counter:
    """Return an application that takes orders, and for whose modules nobody works."""
    return Counter(make_app(transport=DramatiqTransport(gate.url, application=application)))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a module count as one without a worker soon."""
    monkeypatch.setattr(reach, "SILENCE", SHORT)


@pytest.fixture
def told(publishing: Counter) -> list[str]:
    """Return what the signals of the application's bus tell, as they tell it."""
    told: list[str] = []

    def receiving(name: str) -> Callable[..., None]:
        return lambda _bus, target="": told.append(f"{target} {name}".strip())

    for name in ("broker_away", "broker_back", "unserved", "served"):
        vars(publishing.parts.bus.signals)[name].connect(receiving(name), weak=False)
    return told


def work(make_app: MakeApp, gate: Gate, application: str) -> None:
    """Run another process's part: it takes in what every module is sent, on the same databases."""
    transport = DramatiqTransport(gate.url, application=application, threads=4)
    make_app(transport=transport).extensions["modular-app"].bus.start()


def test_broker_that_goes_and_comes_back_is_told_once_each(publishing: Counter, told: list[str], gate: Gate) -> None:
    wait_until(lambda: "1 process" in badge(publishing))

    gate.shut()
    publishing.place()
    wait_until(lambda: told)
    gate.open()
    wait_until(lambda: len(told) > 1)

    assert told == ["broker_away", "broker_back"]


@pytest.mark.usefixtures("hurried")
def test_module_without_a_worker_is_told_until_it_has_one(
    publishing: Counter, told: list[str], make_app: MakeApp, gate: Gate, application: str
) -> None:
    publishing.place()

    wait_until(lambda: told)
    work(make_app, gate, application)
    wait_until(lambda: len(told) > 1)

    assert told == ["restaurant unserved", "restaurant served"]


@pytest.mark.usefixtures("hurried")
def test_process_that_can_work_is_ready_and_names_the_module_without_a_worker(publishing: Counter) -> None:
    publishing.place()

    wait_until(lambda: "without a worker" in ready(publishing))

    assert ready(publishing)["without a worker"] == ["restaurant"]
    assert ready(publishing)["status"] == "ready"


@pytest.mark.usefixtures("hurried")
def test_page_shows_which_module_has_no_worker(publishing: Counter) -> None:
    publishing.place()

    wait_until(lambda: badge(publishing).endswith(": no worker for restaurant (badge stopped)"))


def ready(counter: Counter) -> dict[str, Any]:
    """Return what a process says that is ready to serve."""
    response = counter.client.get("/readyz")
    assert response.status_code == 200
    return dict(response.json or {})
