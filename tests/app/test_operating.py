"""What an operator sees of the real application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.app.conftest import MakeApp
from tests.app.counter import Counter

ROOT = Path(__file__).parents[2]


def flask_bus(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["bus", *arguments])


def test_settled_application_passes_the_check(app: Flask, counter: Counter) -> None:
    counter.place_and_settle()

    result = flask_bus(app, "check")

    assert (result.exit_code, result.stderr) == (0, "")
    assert {line.split()[0] for line in result.stdout.splitlines()} == {"ok"}


def test_trace_of_an_order_is_one_story_across_the_modules(app: Flask, counter: Counter) -> None:
    order_id = counter.place_and_settle()

    (placed,) = json.loads(flask_bus(app, "events", "order.placed", "--history", "--json").stdout)["events"]
    story = flask_bus(app, "trace", placed["id"]).stdout

    assert placed["key"] == order_id
    for listener in ("restaurant.serve_order", "order.price_order", "kitchen.open_ticket", "order.note_ticket"):
        assert f"✓ {listener} completed in" in story
    assert story.splitlines()[-1].startswith("Over after")


def settings(app: Flask) -> dict[str, tuple[str, str]]:
    found = json.loads(flask_bus(app, "config", "--json").stdout)["settings"]
    return {setting["key"]: (setting["value"], setting["source"]) for setting in found}


def test_config_names_each_setting_and_where_it_came_from(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLASK_SECRET_KEY", "hush")
    monkeypatch.setenv("FLASK_DATABASES__kitchen", f"sqlite:///{tmp_path}/stove.db")

    found = settings(make_app())

    given = "the mapping given to create_app"
    assert found["BUS_URL"] == ("inprocess://", "the default")
    assert found["MODULES"] == ("order, restaurant, kitchen", "the default")
    assert found["DATABASE_URL"] == (f"sqlite:///{tmp_path}/{{module}}.db", given)
    assert found["DATABASES__order"] == (f"sqlite:///{tmp_path}/order.db", "DATABASE_URL")
    kitchen = (f"sqlite:///{tmp_path}/stove.db", "the environment (FLASK_DATABASES__kitchen)")
    assert found["DATABASES__kitchen"] == kitchen
    assert found["SECRET_KEY"] == ("***", "the environment (FLASK_SECRET_KEY)")


def test_config_without_a_secret_says_so(app: Flask) -> None:
    assert settings(app)["SECRET_KEY"] == ("not set", "the default")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_config_names_the_pool_of_each_module_on_postgresql(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(DATABASES={"restaurant": f"sqlite:///{tmp_path}/restaurant.db"}, BUS_WORKERS=3)

    told, source = settings(app)["BUS_WORKERS"]

    connections = "3 (5 connections, 15 at most)"
    pool = app.extensions["modular-app"].databases["order"].engine.pool
    assert told == f"order {connections}, restaurant 1, kitchen {connections}"
    assert source == "the mapping given to create_app"
    assert pool.size() == 5


@pytest.mark.parametrize("command", [["status"], ["check"], ["dead", "list", "--json"]], ids=" ".join)
def test_database_that_cannot_be_used_at_the_start_is_one_sentence_and_exit_3(
    tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "kitchen.db").write_bytes(b"garbage" * 1000)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi"}
    environment["FLASK_DATABASE_URL"] = f"sqlite:///{tmp_path}/{{module}}.db"

    ran = subprocess.run(
        [sys.executable, "-m", "flask", "bus", *command], env=environment, capture_output=True, text=True, timeout=60
    )

    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("Error: the database of 'kitchen', ")
    assert len(ran.stderr.splitlines()) == 1
