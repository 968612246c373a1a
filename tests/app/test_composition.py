"""The application is put together from the modules that this process hosts, and starts nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import Flask

from bus.testing import RecordingTransport
from modular_app.app import create_app
from tests.app.conftest import MakeApp
from tests.app.counter import Counter

IMPORTED = """
import sys
from bus.testing import RecordingTransport
from modular_app.app import create_app

create_app({"MODULES": "kitchen"}, transport=RecordingTransport())
print(*sorted(name for name in sys.modules if name.startswith(("modules.order", "modules.rest"))))
"""


def test_every_provider_of_every_container_resolves(app: Flask) -> None:
    for container in app.extensions["modular-app"].containers.values():
        resolved = {name: provider() for name, provider in container.providers.items()}

        assert None not in resolved.values()


def test_new_application_runs_nothing(make_app: MakeApp) -> None:
    before = set(threading.enumerate())

    app = make_app()

    assert set(threading.enumerate()) == before
    for database in app.extensions["modular-app"].databases.values():
        assert (database.engine.pool.checkedin(), database.engine.pool.checkedout()) == (0, 0)


def test_first_request_starts_the_bus(app: Flask) -> None:
    before = set(threading.enumerate())

    app.test_client().get("/healthz")

    assert set(threading.enumerate()) > before


def test_two_applications_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    counters = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        url = f"sqlite:///{tmp_path}/{name}/{{module}}.db"
        counters.append(Counter(create_app({"TESTING": True, "DATABASE_URL": url})))
    one, two = counters

    order_id = one.place_and_settle()

    assert one.status(order_id) == "accepted"
    assert two.get("/orders")["items"] == []
    for counter in counters:
        counter.parts.bus.stop()
        for database in counter.parts.databases.values():
            database.close()


@pytest.mark.parametrize("module", ["order", "restaurant", "kitchen"])
def test_module_starts_alone_on_a_recording_transport(make_app: MakeApp, module: str) -> None:
    counter = Counter(make_app(transport=RecordingTransport(), MODULES=module))

    html = counter.client.get("/").text

    assert re.findall('class="panel" id="panel-([a-z]+)"', html) == [module]
    assert counter.client.get("/readyz").status_code == 200


def test_order_hosted_alone_sends_what_it_publishes_to_its_listeners(make_app: MakeApp) -> None:
    transport = RecordingTransport()
    counter = Counter(make_app(transport=transport, MODULES="order"))

    order_id = counter.place()
    counter.post(f"/orders/{order_id}/cancel")
    counter.settle()

    sent = [(target, envelope.type) for target, envelope in transport.sent]
    assert sorted(sent) == [
        ("kitchen", "order.cancelled"),
        ("restaurant", "order.cancelled"),
        ("restaurant", "order.placed"),
    ]


def test_module_that_is_not_hosted_is_imported_no_further_than_its_contract(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {"PYTHONPATH": str(root), "FLASK_DATABASE_URL": f"sqlite:///{tmp_path}/{{module}}.db"}

    run = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )

    assert run.stdout.split() == [
        "modules.order",
        "modules.order.contract",
        "modules.restaurant",
        "modules.restaurant.contract",
    ]
