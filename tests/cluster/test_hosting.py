"""`FLASK_MODULES`: a process hosts some of the modules, and knows no more of the others than what they say."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from tests.cluster.workers import running_worker
from tests.server.server import ROOT, Server, environment, running_server, wait_until

ON_RABBITMQ = pytest.mark.parametrize("broker_url", ["rabbitmq"], indirect=True)
ON_REDIS = pytest.mark.parametrize("broker_url", ["redis"], indirect=True)

#: Asks an application for everything that it shows, makes it a worker, and prints what it has imported of the modules.
USED = """
import sys
from wsgi import app
from bus.integrations.worker import broker_of

client = app.test_client()
for path in ("/", "/readyz", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/kitchen/tickets"):
    assert client.get(path).status_code == 200, path
broker_of(app)
print(*sorted(name for name in sys.modules if name.startswith("modules.")))
"""

ORDER = {
    "restaurant_id": "demo",
    "lines": [{"sku": "margherita", "quantity": 2}],
    "customer": {"name": "Ada"},
}


def asked(folder: Path, *command: str, **settings: str) -> str:
    run = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def status_of(server: Server, path: str) -> int:
    try:
        server.get(path)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200


@ON_REDIS
def test_server_that_hosts_the_kitchen_has_its_routes_its_listeners_and_its_database_alone(
    broker_url: str, tmp_path: Path
) -> None:
    settings = {"FLASK_MODULES": "kitchen", "FLASK_BUS_URL": broker_url}
    with running_server(tmp_path, **settings) as server:
        paths = ("/api/v1/kitchen/tickets", "/readyz", "/api/v1/orders", "/api/v1/restaurants")
        statuses = [status_of(server, path) for path in paths]
        status = json.loads(asked(tmp_path, "-m", "flask", "bus", "status", "--json", **settings))
        listeners = [listener["id"] for module in status["modules"] for listener in module["listeners"]]

    assert statuses == [200, 200, 404, 404]
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["kitchen.db"]
    assert listeners == ["kitchen.open_ticket", "kitchen.void_ticket"]


def test_process_over_a_broker_imports_of_modules_that_it_does_not_host_their_contracts_alone(tmp_path: Path) -> None:
    settings = {"FLASK_MODULES": "kitchen", "FLASK_BUS_URL": "dramatiq+stub://"}

    imported = asked(tmp_path, "-c", USED, PYTHONPATH=str(ROOT), **settings).split()

    assert "modules.kitchen.listeners" in imported
    assert [name for name in imported if not name.startswith("modules.kitchen")] == [
        "modules.order",
        "modules.order.contract",
        "modules.restaurant",
        "modules.restaurant.contract",
    ]


@ON_RABBITMQ
def test_order_at_a_server_without_the_kitchen_is_cooked_at_the_server_that_hosts_it(
    broker_url: str, tmp_path: Path
) -> None:
    front = {"FLASK_MODULES": "order,restaurant", "FLASK_BUS_URL": broker_url}
    back = {"FLASK_MODULES": "kitchen", "FLASK_BUS_URL": broker_url}
    with (
        running_server(tmp_path, **front) as shop,
        running_server(tmp_path, **back) as kitchen,
        running_worker(tmp_path, "shop", **front),
        running_worker(tmp_path, "kitchen", **back),
    ):
        order = f"/api/v1/orders/{shop.post('/api/v1/orders', ORDER)['order_id']}"
        wait_until(lambda: kitchen.get("/api/v1/kitchen/tickets")["items"])
        [ticket] = kitchen.get("/api/v1/kitchen/tickets")["items"]
        kitchen.post(f"/api/v1/kitchen/tickets/{ticket['ticket_id']}/start")
        wait_until(lambda: shop.get(order)["status"] == "preparing")
        kitchen.post(f"/api/v1/kitchen/tickets/{ticket['ticket_id']}/finish")
        wait_until(lambda: shop.get(order)["status"] == "ready")

    assert order.endswith(ticket["order_id"])
