"""Processes of `flask bus worker` beside a server, as a deployment has them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.brokers import PAIRS
from tests.server.server import PATIENCE, ROOT, environment, wait_until

#: What the processes of an application are told.
Settings = dict[str, str]

#: For tests of applications on each broker, and on each database.
PAIRED = pytest.mark.parametrize(("broker_url", "fresh_database_url"), PAIRS, indirect=True)

#: The application with a cook who lingers over each order, in the folder that LINGERING says.
LINGERING = "tests.processes.lingering:app"

#: What starts them.
COMMAND = (sys.executable, "-m", "flask", "bus", "worker")


class Worker:
    """One `flask bus worker`, and the processes that it has started."""

    def __init__(self, folder: Path, name: str, *options: str, **settings: str) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [*COMMAND, *options], cwd=ROOT, env=environment(folder, **settings), stdout=log, stderr=log
            )

    def is_ready(self) -> bool:
        """Say whether its process works."""
        return "ready for action" in self._log.read_text()

    def said(self) -> str:
        """Return what it has logged."""
        return self._log.read_text()

    def pids(self) -> list[int]:
        """Return its processes that work, the oldest first."""
        return [int(pid) for pid in re.findall(r"PID (\d+)\].*ready for action", self.said())]

    def kill(self) -> None:
        """End it and its processes as a crash would."""
        for pid in (*children_of(self.process.pid), self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def tell(self) -> None:
        """Tell it to end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def tell_all(self) -> None:
        """Tell it and its processes to end, as a supervisor does that tells a whole group."""
        for pid in (self.process.pid, *children_of(self.process.pid)):
            os.kill(pid, signal.SIGTERM)

    def end(self) -> int:
        """Tell it to end; return its exit code."""
        self.tell()
        return self.process.wait(PATIENCE)


@contextmanager
def running_worker(folder: Path, name: str, *options: str, **settings: str) -> Iterator[Worker]:
    """Run a worker for the length of a block."""
    worker = Worker(folder, name, *options, **settings)
    try:
        wait_until(worker.is_ready)
        yield worker
    finally:
        worker.end()


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started, and those that they have."""
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in tasks.read_text().split()] if tasks.exists() else []
    return [each for child in found for each in (child, *children_of(child))]
