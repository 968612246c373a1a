"""Scenario 28 with a whole process whose clock is wrong. SQLite's processes share one machine, and so its clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bus import SystemClock
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from bus.outbox.store import Owing
from tests.databases import ON_POSTGRESQL
from tests.durable.shop import Shop, placed

ROOT = Path(__file__).parents[2]

pytestmark = ON_POSTGRESQL


@pytest.mark.parametrize("minutes", [-5, 5])
def test_scenario_28_process_whose_clock_is_wrong_neither_steals_nor_runs_early(
    database_url: str, minutes: int
) -> None:
    shop = Shop(database_url, clock=SystemClock())
    with shop.order.write() as connection:
        # Handed over by somebody a moment ago.
        shop.outboxes["order"].add(connection, [placed(1)], [Owing("kitchen", "event-1", 60_000_000, sends=1)])
    failed = Outcome(State.RETRYING, Reason.FAILED, 60_000_000, failures=1, crashes=0)
    shop.inbox_store.record(Publication("kitchen.open_ticket", placed(2)), failed)
    shop.place(3)

    command = [sys.executable, "-m", "tests.durable.skewed", database_url, str(minutes * 60)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    tickets = shop.tickets()
    shop.close()

    assert tickets == [3]
