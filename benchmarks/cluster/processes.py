"""Runs one side: a process that publishes, those that work, and the times that all of them tell."""

from __future__ import annotations

import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.cluster.job import VARIABLE, Job
from benchmarks.peers.environment import python_of

ROOT = Path(__file__).parents[2]

#: Seconds that effects are waited for at most, and that a process has to end.
PATIENCE = 120.0

#: Events that are published at once until every process has worked on some.
WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """What one side did.

    Attributes:
        rate: Events that had their effect in a second, from the first publication to the last effect.
        published: Events that were published in a second, by one thread.
        latency: Milliseconds from a commit to the effect on an idle system, the median.
    """

    rate: float
    published: float
    latency: float


class Side:
    """The processes of one side, and what it has effected so far."""

    def __init__(self, producer: subprocess.Popen[str], pipe: int) -> None:
        self._producer = producer
        self._pipe = pipe
        self._unread = b""
        self._effects: dict[str, float] = {}
        self._workers: set[str] = set()
        self._published = 0

    def warm_up(self, processes: int) -> None:
        """Publish until so many processes have worked."""
        self._heard("ready")
        while len(self._workers) < processes:
            self.burst(WARM_UP)
        self.burst(WARM_UP)

    def burst(self, events: int) -> tuple[float, float]:
        """Publish events one after the other; return the rate of their effects, and of their publication."""
        self._ask(f"burst {events}")
        self._published += events
        self._wait()
        said = self._hear()
        last = max(self._effects.values())
        return events / (last - said["began"]), events / (said["ended"] - said["began"])

    def single(self) -> float:
        """Publish one event after a pause; return the seconds from its commit to its effect."""
        self._ask("single")
        self._published += 1
        self._wait()
        return max(self._effects.values()) - float(self._heard("committed"))

    def _wait(self) -> None:
        """Read effects until there is one for each event."""
        deadline = time.monotonic() + PATIENCE
        while len(self._effects) < self._published:
            readable, _, _ = select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"{self._published - len(self._effects)} effects are missing after {PATIENCE:g} s"
            *lines, self._unread = (self._unread + os.read(self._pipe, 65536)).split(b"\n")
            for line in lines:
                pid, order_id, at = line.decode().split()
                self._workers.add(pid)
                self._effects.setdefault(order_id, float(at))

    def _ask(self, line: str) -> None:
        pipe = _pipe(self._producer.stdin)
        pipe.write(f"{line}\n")
        pipe.flush()

    def _heard(self, fact: str) -> Any:
        return self._hear()[fact]

    def _hear(self) -> Any:
        line = _pipe(self._producer.stdout).readline()
        assert line, "the process that publishes has ended"
        return json.loads(line)


@contextmanager
def running(make_job: Callable[[str], Job]) -> Iterator[Side]:
    """Run the processes of the job that is made for the pipe of this name."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/effects"
        os.mkfifo(path)
        # Opened for both, it neither waits for a writer nor ends with one.
        pipe = os.open(path, os.O_RDWR)
        job = make_job(path)
        try:
            with _process(job, "work"), _process(job, "publish") as producer:
                side = Side(producer, pipe)
                side.warm_up(job.processes)
                yield side
        finally:
            os.close(pipe)


def measured(side: Side, events: int, singles: int) -> Figures:
    """Return what a side does in a row, and event by event."""
    rate, published = side.burst(events)
    latencies = [side.single() for _ in range(singles)]
    return Figures(rate, published, 1000 * statistics.median(latencies))


@contextmanager
def _process(job: Job, what: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process and all that it starts, which are a group of their own."""
    python = str(python_of("celery")) if job.side == "celery" else sys.executable
    process = subprocess.Popen(
        [python, "-m", "benchmarks.cluster.sides", what],
        cwd=ROOT,
        env={**os.environ, VARIABLE: job.written()},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if what == "publish" else subprocess.DEVNULL,
        stderr=None if os.environ.get("CLUSTER_LOGS") else subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
