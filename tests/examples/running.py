"""The Procfile of the example, run by honcho on a database and a broker of a test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.examples.cluster import FOLDER, ROOT, environment, procfile
from tests.server.server import PATIENCE, wait_until

#: What a web, or a worker, has said when it works.
_READY = re.compile(r"(\w+)\.1 +\| .*(?:Booting worker with pid|ready for action)")

#: What honcho says of each process that it starts; the number is that of the process's group too.
_STARTED = re.compile(r"(\w+)\.1 started \(pid=(\d+)\)")

#: What it says when one has ended.
_STOPPED = re.compile(r"(\w+)\.1 stopped \(rc=(-?\d+)\)")


class Shop:
    """A folder with the settings of the example, but for where its data are."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        told = environment("local.env.example") | settings
        (folder / "local.env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))

    def command(self, *words: str) -> list[str]:
        """Return a command of honcho's with these settings."""
        return [
            sys.executable,
            "-m",
            "honcho",
            "-f",
            str(FOLDER / "Procfile"),
            "-e",
            str(self.folder / "local.env"),
            *words,
        ]

    def run(self, *words: str) -> str:
        """Run a command with these settings; return what it says."""
        return subprocess.run(
            self.command("run", *words),
            cwd=ROOT,
            env=_surroundings(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout

    @contextmanager
    def started(self, name: str, *processes: str) -> Iterator[Started]:
        """Start processes, all where none is named, and end what is left of them after the block."""
        started = Started(self, name, processes)
        try:
            wait_until(started.is_ready)
            yield started
        finally:
            started.clear()


class Started:
    """One `honcho start`, and the processes that it has started."""

    def __init__(self, shop: Shop, name: str, processes: tuple[str, ...]) -> None:
        self._awaited = set(processes or procfile())
        self._log = shop.folder / f"{name}.log"
        self.ports = _free_ports()
        command = shop.command("start", "--port", str(self.ports[0]), *processes)
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=_surroundings(), stdout=log, stderr=log)

    def is_ready(self) -> bool:
        """Say whether each of its processes works."""
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        return set(_READY.findall(self._log.read_text())) == self._awaited

    def kill(self, name: str) -> int:
        """End one of its processes as a crash would; return with what code honcho ends then."""
        os.killpg(self._pids()[name], signal.SIGKILL)
        return self._process.wait(PATIENCE)

    def end(self) -> int:
        """Tell it to end; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)

    def left(self) -> set[str]:
        """Return the processes of which something still runs."""
        return {name for name, pid in self._pids().items() if _is_there(pid)}

    def exit_codes(self) -> dict[str, int]:
        """Return with what code each of its processes has ended."""
        return {name: int(code) for name, code in _STOPPED.findall(self._log.read_text())}

    def clear(self) -> None:
        """End whatever is left."""
        if self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self.end()
        self._process.kill()
        for pid in self._pids().values():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _pids(self) -> dict[str, int]:
        return {name: int(pid) for name, pid in _STARTED.findall(self._log.read_text())}


def _is_there(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def _surroundings() -> dict[str, str]:
    """Return the environment of somebody in whose shell the example is installed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
    return {**plain, "PATH": f"{Path(sys.executable).parent}:{plain['PATH']}"}


def _free_ports() -> tuple[int, int]:
    """Return two free ports that are 100 apart, as honcho gives them to two processes."""
    while True:
        with suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 100))
            return port, port + 100
