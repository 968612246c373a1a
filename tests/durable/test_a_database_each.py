"""A crash where each module has a database of its own on a PostgreSQL server, and no transaction spans them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.durable.test_crashes import PASSED_ONCE, committed, crash, recovered, send_and_forget


@pytest.mark.parametrize("place", ["inbox.after_commit", "relay.before_acknowledge"])
def test_scenario_09_kill_9_between_the_databases_of_two_modules_loses_nothing_and_repeats_no_effect(
    one_each_url: str, tmp_path: Path, place: str
) -> None:
    send_and_forget(one_each_url)

    exit_code = crash(tmp_path, one_each_url, f"{place}={1 if place in PASSED_ONCE else 2}*kill")
    shop = recovered(one_each_url)

    orders, tickets, answers = shop.orders(), sorted(shop.tickets()), sorted(shop.answers())
    shop.close()
    assert exit_code == -signal.SIGKILL
    assert set(committed(tmp_path)) <= set(orders)
    assert tickets == answers == orders
