"""Runs one peer: a process that publishes, a process that works, and the times that both tell."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

from benchmarks.peers.environment import python_of
from benchmarks.peers.protocol import Task

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many events a second have their effect, and milliseconds from a commit to the effect on an idle system."""

    rate: float
    latency: float


def run_peer(peer: str, task: Task) -> Figures:
    """Run a peer once, on a database that has the tables of both rows."""
    with _process(peer, "work", task) as worker:
        _heard(worker, "ready")
        with _process(peer, "publish", task) as producer:
            _heard(worker, "effects")
            _go_on(producer)
            began = _heard(producer, "began")
            last = max(_heard(worker, "effects").values())
            _go_on(producer)
            committed = _heard(producer, "committed")
            effects = _heard(worker, "effects")
    return figures(task.events, last - began, [effects[order_id] - at for order_id, at in committed.items()])


def figures(events: int, took: float, latencies: Iterable[float]) -> Figures:
    """Return what events took in a row, and what single ones took, in seconds."""
    return Figures(events / took, 1000 * statistics.median(latencies))


@contextmanager
def _process(peer: str, side: str, task: Task) -> Iterator[subprocess.Popen[str]]:
    command = [str(python_of(peer)), "-m", "benchmarks.peers", peer, side]
    arguments = [str(getattr(task, field.name)) for field in fields(task)]
    process = subprocess.Popen(
        [*command, *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _heard(process: subprocess.Popen[str], fact: str) -> Any:
    """Return the next fact that a process tells."""
    line = _pipe(process.stdout).readline()
    assert line, f"the process has ended before it told {fact!r}"
    return json.loads(line)[fact]


def _go_on(process: subprocess.Popen[str]) -> None:
    pipe = _pipe(process.stdin)
    pipe.write("\n")
    pipe.flush()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
