"""Those who watch the process learn whether it lives and whether it can work."""

from __future__ import annotations

from pathlib import Path

from tests.app.conftest import MakeApp
from tests.app.counter import Counter


def test_living_process_says_so(counter: Counter) -> None:
    assert counter.client.get("/healthz").json == {"status": "ok"}


def test_process_is_ready_when_its_databases_and_its_transport_answer(counter: Counter) -> None:
    response = counter.client.get("/readyz")

    assert response.status_code == 200
    assert response.json == {
        "status": "ready",
        "checks": {
            "database order": "ok",
            "database restaurant": "ok",
            "database kitchen": "ok",
            "transport": "ok",
        },
    }


def test_process_is_not_ready_when_a_database_is_away(make_app: MakeApp, tmp_path: Path) -> None:
    counter = Counter(make_app())
    for file in tmp_path.glob("kitchen.db*"):
        file.unlink()
    (tmp_path / "kitchen.db").mkdir()

    response = counter.client.get("/readyz")

    assert response.status_code == 503
    assert response.json is not None
    assert response.json["checks"]["database kitchen"] == "does not answer"
    assert response.json["checks"]["database order"] == "ok"
