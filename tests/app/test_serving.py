"""A process that serves says where, and ends in order; a command says only what it was asked."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path}/{{module}}.db"
    return {"PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi", "FLASK_DATABASE_URL": url}


def flask(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(lines: Iterable[str], text: str) -> str:
    """Read on until a line has the text; return everything up to there."""
    read = []
    for line in lines:
        read.append(line)
        if text in line:
            return "".join(read)
    raise AssertionError(f"never said {text!r}: {''.join(read)}")


def test_server_says_where_it_is_and_ends_in_order_on_sigterm(environment: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    environment["FLASK_RUN_PORT"] = str(port)

    with subprocess.Popen(flask("run"), env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said = until(server.stderr, "Running on")
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    assert "it has the restaurant demo now" in said
    assert f"http://127.0.0.1:{port}/ " in said
    assert f"http://127.0.0.1:{port}/api/v1/docs" in said
    assert server.returncode == 0


def test_command_prints_its_answer_alone(environment: dict[str, str], tmp_path: Path) -> None:
    run = subprocess.run(
        flask("bus", "explain", "order.placed", "--json"),
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "order.placed" in str(json.loads(run.stdout))
    assert "it has the restaurant demo now" in run.stderr
    assert "http://" not in run.stderr
