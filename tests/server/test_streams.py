"""Open streams neither hold up the end of a server, nor take all of its threads."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import pytest

from modular_app.bell import MAX_STREAMS
from tests.server.server import FLASK, Server, running_server

GUNICORN = (
    sys.executable,
    "-m",
    "gunicorn",
    "--bind=127.0.0.1:{port}",
    "--worker-class=gthread",
    "--threads=4",
    "wsgi:app",
)
SYNCHRONOUS = (sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:{port}", "wsgi:app")


def open_stream(server: Server) -> HTTPResponse:
    stream: HTTPResponse = urllib.request.urlopen(f"{server.root}/bell", timeout=60)
    return stream


@pytest.mark.parametrize("command", [FLASK, GUNICORN, (*GUNICORN, "--preload")], ids=["flask", "gunicorn", "preload"])
def test_server_that_is_told_to_end_closes_its_streams(command: tuple[str, ...], tmp_path: Path) -> None:
    with running_server(tmp_path, command) as server, open_stream(server) as stream:
        assert stream.readline() == b"retry: 500\n"
        begun = time.monotonic()

        server.close()

        assert time.monotonic() - begun < 10
        assert server.process.returncode == 0


def test_server_with_four_threads_answers_beside_its_streams(tmp_path: Path) -> None:
    with running_server(tmp_path, GUNICORN) as server, ExitStack() as streams:
        for _ in range(MAX_STREAMS):
            streams.enter_context(open_stream(server))

        with pytest.raises(urllib.error.HTTPError, match="503"):
            open_stream(server)
        assert server.get("/api/v1/orders")["items"] == []


def test_server_with_one_thread_keeps_it_for_requests(tmp_path: Path) -> None:
    with running_server(tmp_path, SYNCHRONOUS) as server:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            open_stream(server)
