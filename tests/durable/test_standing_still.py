"""The sweep with SIGSTOP: a process stands still at each failpoint in turn, while others do its work, and goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from bus import DrainTimeoutError
from bus.failpoint import FAILPOINTS
from tests.durable.crashing import ShiftedClock, listen
from tests.durable.shop import Shop
from tests.durable.standing import PATIENCE, standing
from tests.durable.test_crashes import PASSED_ONCE, committed, send_and_forget

#: Seconds for which another process tries to do the work of one that stands still: where that holds a lock, in vain.
WHILE_IT_STANDS = 0.5


@pytest.mark.parametrize("place", FAILPOINTS)
def test_scenario_10_process_that_stands_still_at_a_failpoint_and_goes_on_loses_and_repeats_nothing(
    database_url: str, tmp_path: Path, place: str
) -> None:
    send_and_forget(database_url)
    at = f"{place}={1 if place in PASSED_ONCE else 2}*stop"

    with standing(tmp_path, "tests.durable.crashing", str(tmp_path), database_url, at=at) as process:
        other = Shop(database_url, clock=ShiftedClock(hours=2))
        listen(other)
        with suppress(DrainTimeoutError):
            other.bus.drain(timeout=WHILE_IT_STANDS)
        process.go_on()
        # What it has taken is due to nobody else soon: its clock is ahead, and it doubles its intervals.
        other.bus.drain(timeout=PATIENCE)
        exit_code = process.wait()
    other.bus.drain(timeout=PATIENCE)

    orders, tickets, answers = other.orders(), sorted(other.tickets()), sorted(other.answers())
    keys = sorted(int(row.key) for row in other.history())
    other.close()
    assert exit_code == 0
    assert committed(tmp_path) == orders == keys == tickets == answers == list(range(30))
