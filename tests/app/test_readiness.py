"""A process tells whether the PostgreSQL server of its databases is there, and does not wait for it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bus.postgresql import PROBE_TIMEOUT
from tests.app.conftest import MakeApp, set_up
from tests.own_server import OwnServer

DATABASES = ("database order", "database restaurant", "database kitchen")


@pytest.fixture(scope="module")
def server(programs: Path) -> Iterator[OwnServer]:
    """Run a server for these tests; each leaves it running."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = OwnServer(Path(folder), programs)
        set_up(server.url)
        yield server
        server.end()


@pytest.fixture
def database_url(server: OwnServer) -> str:
    return server.url


def readiness(app: Flask) -> tuple[int, dict[str, Any]]:
    response = app.test_client().get("/readyz")
    assert response.json is not None
    return response.status_code, response.json["checks"]


def told(databases: str) -> dict[str, str]:
    return {**dict.fromkeys(DATABASES, databases), "transport": "ok"}


def test_process_is_ready_but_for_as_long_as_its_server_is_away(app: Flask, server: OwnServer) -> None:
    before = readiness(app)
    server.end()
    meanwhile = readiness(app)
    server.start()

    assert before == readiness(app) == (200, told("ok"))
    assert meanwhile == (503, told("does not answer"))


def test_server_that_stands_still_is_told_within_seconds(app: Flask, server: OwnServer) -> None:
    assert readiness(app)[0] == 200

    with server.standing_still():
        began = time.monotonic()
        found = readiness(app)
        took = time.monotonic() - began

    assert found == (503, told("does not answer"))
    assert took < 2 * PROBE_TIMEOUT


def test_server_that_takes_no_changes_leaves_a_process_unready(make_app: MakeApp, server: OwnServer) -> None:
    make_app()

    standby = make_app(DATABASE_URL=f"{server.url}&options=-c%20default_transaction_read_only%3Don")

    assert readiness(standby) == (503, told("does not answer"))


def test_status_without_its_server_is_one_sentence_and_exit_3(app: Flask, server: OwnServer) -> None:
    server.end()
    result = app.test_cli_runner().invoke(args=["bus", "status"])
    server.start()

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("Error: the database of 'kitchen', postgresql+psycopg://server@127.0.0.1")
    assert len(result.stderr.splitlines()) == 1
