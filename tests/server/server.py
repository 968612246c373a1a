"""A real `flask run` in a process of its own, on a free port, with databases in a folder of the test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

ROOT = Path(__file__).parents[2]

#: Seconds that a test waits for a process or a state before it gives up.
PATIENCE = 60.0


#: What starts Flask's own server; the port is in the environment.
FLASK = (sys.executable, "-m", "flask", "run")


class Server:
    """One running server, asked over HTTP."""

    def __init__(self, folder: Path, command: Sequence[str] = FLASK, **settings: str) -> None:
        self.port = _free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._settings = settings
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._log = (folder / "server.log").open("a")
        self.start()

    def start(self) -> None:
        """Start it, again where it has ended, on the same port."""
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=environment(self._folder, FLASK_RUN_PORT=str(self.port), **self._settings),
            stdout=self._log,
            stderr=self._log,
        )

    def get(self, path: str) -> Any:
        """Return the JSON that a path answers."""
        with urllib.request.urlopen(f"{self.root}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Post JSON; return the JSON answered."""
        data = json.dumps({} if body is None else body).encode()
        request = urllib.request.Request(
            f"{self.root}{path}", data, {"Content-Type": "application/json", **(headers or {})}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        """Say whether it takes requests."""
        try:
            return bool(self.get("/healthz"))
        except (urllib.error.URLError, ConnectionError):
            return False

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self._log.close()


@contextmanager
def running_server(folder: Path, command: Sequence[str] = FLASK, **settings: str) -> Iterator[Server]:
    """Run a server with these settings until the block ends; `{port}` in its command is the port."""
    server = Server(folder, command, **settings)
    try:
        wait_until(server.answers)
        yield server
    finally:
        server.close()


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process whose databases are in a folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    return {**plain, "FLASK_DATABASE_URL": f"sqlite:///{folder}/{{module}}.db", **settings}


def wait_until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Ask until the condition holds; fail when it does not in time."""
    pause = Event()
    for _ in range(int(patience / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"not within {patience:g} s: {condition}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
