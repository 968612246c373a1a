"""A process that stands still at a failpoint until somebody lets it go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Seconds for which another one waits at most: what a third send met held is sent again after 40.
PATIENCE = 60


class Standing:
    """A process that stands still, and what it has said on its way."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def go_on(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return self._process.wait(PATIENCE)

    def told(self) -> str:
        """Return its warnings, and whatever else it has written beside its output."""
        return self._log.read_text()


@contextmanager
def standing(folder: Path, *command: str, at: str) -> Iterator[Standing]:
    """Run a module of these tests with its arguments until it stands still; `at` is what BUS_FAILPOINTS says."""
    with (folder / "standing.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "BUS_FAILPOINTS": at},
            stderr=log,
        )
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"nothing passes {at}"
        yield Standing(process, folder / "standing.log")
    finally:
        process.kill()
        process.wait()
