"""What the bus announces is committed already, and a receiver that fails changes nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bus import PermanentFailure, RetryPolicy, operations_of
from bus.testing import FakeClock
from tests.durable.faults import Log, Raising, pass_time
from tests.durable.shop import Shop, placed
from tests.durable.test_parked import CANCELLED

SIGNALS = [
    "listener_completed",
    "listener_failed",
    "publication_dead",
    "publication_parked",
    "paused",
    "resumed",
]


def connect(shop: Shop, name: str, error: BaseException | None = None) -> list[dict[str, Any]]:
    """Note what a signal tells from now on; the receiver fails after that where it is told to."""
    told: list[dict[str, Any]] = []

    def receive(_bus: object, **details: Any) -> None:
        told.append(details)
        if error is not None:
            raise error

    getattr(shop.bus.signals, name).connect(receive, weak=False)
    return told


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1)])
def test_receiver_that_raises_changes_nothing(shop: Shop, clock: FakeClock, name: str, error: BaseException) -> None:
    Raising(shop, ValueError("a"), PermanentFailure("b"), retry=RetryPolicy(kill_switch=None))
    told, operations = connect(shop, name, error), operations_of(shop.bus)
    inbox = shop.inbox()

    with Log("a receiver of the signal") as log:
        for envelope in (placed(1), placed(2), CANCELLED):
            inbox.receive(envelope, 1)
        pass_time(inbox, clock)
        operations.pause("kitchen", duration=timedelta(hours=1), who="ann", why="no gas")
        operations.resume("kitchen")

    assert log.heard.is_set()
    assert told
    assert shop.tickets() == [1]
    assert {(row.listener, row.event_id): row.state for row in shop.publications()} == {
        ("*", "cancelled"): "retrying",
        ("kitchen.raise", "event-1"): "completed",
        ("kitchen.raise", "event-2"): "dead",
    }


def test_completed_listener_is_announced_with_its_time_once_its_effects_can_be_read(shop: Shop) -> None:
    seen: list[list[int]] = []
    Raising(shop)
    told = connect(shop, "listener_completed")
    shop.bus.signals.listener_completed.connect(read := lambda _bus, **_: seen.append(shop.tickets()))

    shop.inbox().receive(placed(7), 1)

    assert read is not None
    assert seen == [[7]]
    assert [(details["listener_id"], details["event_id"], details["took"] >= 0) for details in told] == [
        ("kitchen.raise", "event-7", True)
    ]


def test_failed_run_is_announced_with_its_error_and_one_that_waits_is_not(shop: Shop, clock: FakeClock) -> None:
    error = ValueError("no dough")
    Raising(shop, error)
    told = connect(shop, "listener_failed")

    shop.inbox().receive(placed(7), 1)

    assert [details["error"] for details in told] == [error]


def test_end_of_a_pause_by_itself_is_announced_at_the_next_look(shop: Shop, clock: FakeClock) -> None:
    paused, resumed, operations = connect(shop, "paused"), connect(shop, "resumed"), operations_of(shop.bus)
    operations.pause("kitchen", duration=timedelta(hours=1), who="ann", why="no gas")

    clock.advance(hours=1)
    operations.modules["kitchen"].refresh()

    assert [details["target"] for details in paused] == [details["target"] for details in resumed] == ["kitchen"]
