"""Runs one side, and hears its times: a peer's process that publishes and the one that works, or those of the bus."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

from benchmarks.peers.environment import python_of
from benchmarks.peers.protocol import Task

ROOT = Path(__file__).parents[2]

#: Seconds for which a process may be silent.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How many events a second have their effect, and milliseconds from a commit to the effect on an idle system."""

    rate: float
    latency: float


def run_peer(peer: str, task: Task) -> Figures:
    """Run a peer once, on a database that has the tables of both rows."""
    python = python_of(peer)
    with _process(python, peer, "work", task) as worker:
        worker.heard("ready")
        with _process(python, peer, "publish", task) as producer:
            worker.heard("effects")
            producer.go_on()
            began = producer.heard("began")
            last = max(worker.heard("effects").values())
            producer.go_on()
            return _figures(task.events, last - began, producer.heard("committed"), worker.heard("effects"))


def run_bus(processes: int, task: Task) -> Figures:
    """Run the bus once, in processes of which each publishes its share, on a database that has its tables."""
    share = replace(task, events=task.events // processes, singles=0)
    with ExitStack() as stack:
        every = [
            stack.enter_context(_process(Path(sys.executable), "bus", "serve", one))
            for one in (replace(share, singles=task.singles), *[share] * (processes - 1))
        ]
        for process in every:
            process.heard("effects")
        for process in every:
            process.go_on()
        began = min(process.heard("began") for process in every)
        last = max(max(process.heard("effects").values()) for process in every)
        for process in every:
            process.go_on()
        first = every[0]
        return _figures(share.events * processes, last - began, first.heard("committed"), first.heard("effects"))


def _figures(events: int, took: float, committed: Mapping[str, float], effects: Mapping[str, float]) -> Figures:
    latencies = [effects[order_id] - at for order_id, at in committed.items()]
    return Figures(events / took, 1000 * statistics.median(latencies))


class _Process:
    """A process, and what it has told that nobody has asked for yet."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._told: list[dict[str, Any]] = []

    def heard(self, fact: str) -> Any:
        """Return the next fact of this kind that it tells."""
        while True:
            for number, said in enumerate(self._told):
                if fact in said:
                    return self._told.pop(number)[fact]
            silence = threading.Timer(PATIENCE, self._process.kill)
            silence.start()
            try:
                line = _pipe(self._process.stdout).readline()
            finally:
                silence.cancel()
            assert line, f"the process has ended, or been silent for {PATIENCE:g} s, before it told {fact!r}"
            self._told.append(json.loads(line))

    def go_on(self) -> None:
        """Tell it to go on."""
        pipe = _pipe(self._process.stdin)
        pipe.write("\n")
        pipe.flush()


@contextmanager
def _process(python: Path, side: str, role: str, task: Task) -> Iterator[_Process]:
    arguments = [str(getattr(task, field.name)) for field in fields(task)]
    process = subprocess.Popen(
        [str(python), "-m", "benchmarks.peers", side, role, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield _Process(process)
    finally:
        process.kill()
        process.communicate()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
