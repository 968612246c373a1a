"""The sweep with SIGSTOP: a process stands still at each failpoint in turn, while others do its work, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bus import DrainTimeoutError
from bus.failpoint import FAILPOINTS
from tests.durable.crashing import ShiftedClock, listen
from tests.durable.shop import Shop
from tests.durable.test_crashes import FOR_SUSPECTS, PASSED_ONCE, ROOT, committed, send_and_forget

#: Seconds for which another process tries to do the work of one that stands still: where that holds a lock, in vain.
WHILE_IT_STANDS = 0.5

#: Seconds for which either waits for the other: what a third send met held is sent again after 40.
PATIENCE = 60


@pytest.mark.parametrize("place", [place for place in FAILPOINTS if place not in FOR_SUSPECTS])
def test_scenario_10_process_that_stands_still_at_a_failpoint_and_goes_on_loses_and_repeats_nothing(
    database_url: str, tmp_path: Path, place: str
) -> None:
    send_and_forget(database_url)

    with stopped(tmp_path, database_url, f"{place}={1 if place in PASSED_ONCE else 2}*stop") as process:
        other = Shop(database_url, clock=ShiftedClock(hours=2))
        listen(other)
        with suppress(DrainTimeoutError):
            other.bus.drain(timeout=WHILE_IT_STANDS)
        process.send_signal(signal.SIGCONT)
        # What it has taken is due to nobody else soon: its clock is ahead, and it doubles its intervals.
        other.bus.drain(timeout=PATIENCE)
        exit_code = process.wait(PATIENCE)
    other.bus.drain(timeout=PATIENCE)

    orders, tickets, answers = other.orders(), sorted(other.tickets()), sorted(other.answers())
    keys = sorted(int(row.key) for row in other.history())
    other.close()
    assert exit_code == 0
    assert committed(tmp_path) == orders == keys == tickets == answers == list(range(30))


@contextmanager
def stopped(folder: Path, url: str, failpoints: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that places orders and delivers, until it stands still."""
    command = [sys.executable, "-m", "tests.durable.crashing", str(folder), url]
    environment = {**os.environ, "BUS_FAILPOINTS": failpoints}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"nothing passes {failpoints}"
        yield process
    finally:
        process.kill()
        process.wait()
