from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bus.failpoint import FAILPOINTS
from bus.inbox.store import Publication
from tests.durable.crashing import ShiftedClock, listen
from tests.durable.shop import Shop, Where
from tests.durable.standing import ROOT

#: What a batch passes once; at the others the process dies at its second passage, with one event behind it.
PASSED_ONCE = (
    "relay.before_claim",
    "relay.after_claim",
    "inbox.after_alone",
    "relay.before_acknowledge",
    "relay.after_acknowledge",
)

#: Orders that a process has sent and then died: their next send is marked in the inbox.
SENT_BEFORE = range(10)

#: One of them, whose run had begun when its process died: it is run alone, which passes a failpoint of its own.
SUSPECT = 5


@pytest.mark.parametrize("place", FAILPOINTS)
def test_scenario_09_kill_9_at_a_failpoint_loses_nothing_and_repeats_no_effect(
    database_url: str, tmp_path: Path, place: str
) -> None:
    send_and_forget(database_url)

    exit_code = crash(tmp_path, database_url, f"{place}={1 if place in PASSED_ONCE else 2}*kill")
    shop = recovered(database_url)

    orders, seen = shop.orders(), committed(tmp_path)
    tickets, answers = sorted(shop.tickets()), sorted(shop.answers())
    keys = sorted(int(row.key) for row in shop.history())
    shop.close()
    assert exit_code == -signal.SIGKILL, f"nothing passes {place}"
    assert len(seen) <= len(orders) <= len(seen) + 1
    assert set(seen) <= set(orders)
    assert keys == tickets == answers == orders


def test_scenario_03_order_whose_process_dies_between_commit_and_hand_over_is_delivered_by_another(
    database_url: str, tmp_path: Path
) -> None:
    exit_code = crash(tmp_path, database_url, "transaction.after_commit=2*kill")

    shop = recovered(database_url)

    seen, orders, tickets = journaled(tmp_path), shop.orders(), sorted(shop.tickets())
    shop.close()
    assert (exit_code, seen) == (-signal.SIGKILL, [10])
    assert orders == tickets == [10, 11]


@pytest.mark.parametrize("place", ["publish.recorded", "outbox.after_write", "transaction.before_commit"])
def test_scenario_04_order_whose_process_dies_before_the_commit_is_delivered_to_nobody(
    database_url: str, tmp_path: Path, place: str
) -> None:
    exit_code = crash(tmp_path, database_url, f"{place}=2*kill")

    shop = recovered(database_url)

    keys = [int(row.key) for row in shop.history()]
    orders, tickets = shop.orders(), shop.tickets()
    shop.close()
    assert exit_code == -signal.SIGKILL
    assert journaled(tmp_path) == orders == keys == tickets == [10]


def test_scenario_21_listener_that_kills_its_process_is_a_dead_letter_and_its_neighbours_complete(
    database_url: str,
) -> None:
    shop = Shop(database_url, clock=ShiftedClock(hours=0))
    shop.place(*range(8))
    exit_codes = [die(database_url, hours, poison=3) for hours in range(1, 7)]

    rows = {row.event_id: row for row in shop.publications()}
    dead = rows.pop(next(row.id for row in shop.history() if row.key == "3"))
    tickets, owed = sorted(shop.tickets()), shop.owed()
    shop.close()
    # The first death is seen by nobody, the second is noted, and three alone are the limit.
    assert exit_codes == [-signal.SIGKILL] * 5 + [0]
    assert (dead.state, dead.reason, dead.crashes) == ("dead", "crashed", 3)
    assert {(row.state, row.crashes) for row in rows.values()} == {("completed", 0)}
    assert (tickets, owed) == ([0, 1, 2, 4, 5, 6, 7], [])


def test_without_a_crash_every_order_is_answered_once(database_url: str, tmp_path: Path) -> None:
    send_and_forget(database_url)

    exit_code = crash(tmp_path, database_url, "")

    shop = recovered(database_url)
    tickets, answers = sorted(shop.tickets()), sorted(shop.answers())
    shop.close()
    assert exit_code == 0
    assert committed(tmp_path) == tickets == answers == list(range(30))


def send_and_forget(url: Where, *order_ids: int) -> None:
    """Leave orders as a process leaves them that has claimed and sent them, and died in the run of a suspect."""
    shop = Shop(url, clock=ShiftedClock(hours=0))
    shop.place(*(order_ids or SENT_BEFORE))
    for found in shop.outboxes["order"].claim("kitchen", len(SENT_BEFORE)):
        if found.envelope.subject == str(SUSPECT):
            shop.mark(Publication("kitchen.open_ticket", found.envelope))
    shop.close()


def die(url: str, hours: int, *, poison: int) -> int:
    command = [sys.executable, "-m", "tests.durable.dying", url, str(hours), str(poison)]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.DEVNULL, timeout=60, check=False).returncode


def crash(folder: Path, url: str, failpoints: str) -> int:
    command = [sys.executable, "-m", "tests.durable.crashing", str(folder), url]
    environment = {**os.environ, "BUS_FAILPOINTS": failpoints}
    return subprocess.run(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, timeout=60, check=False
    ).returncode


def recovered(url: str) -> Shop:
    """Return the shop of a second process on the same databases, which has delivered all that was owed."""
    shop = Shop(url, clock=ShiftedClock(hours=2))
    listen(shop)
    shop.bus.drain()
    return shop


def committed(folder: Path) -> list[int]:
    """The orders whose commit the dead process has seen, and those from before it."""
    return [*SENT_BEFORE, *journaled(folder)]


def journaled(folder: Path) -> list[int]:
    """The orders whose commit the dead process has seen."""
    return [int(line) for line in (folder / "journal").read_text().split()]
