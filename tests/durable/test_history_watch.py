"""Scenario 29: a writer who does not end keeps readers from what was published since, and somebody is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import text

from bus import SystemClock
from bus.history import watch as history_watch
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.history.watch import ALARM, INTERVAL, HistoryWatch
from bus.status import LATE
from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk
from tests.databases import ON_POSTGRESQL
from tests.durable.faults import Log
from tests.durable.shop import OrderCancelled, Shop
from tests.server.server import wait_until

pytestmark = ON_POSTGRESQL


class FiveMinutesBehind(SystemClock):
    """The clock of a machine that is wrong."""

    def microseconds(self) -> int:
        return super().microseconds() - 300_000_000


class Watcher:
    """Watches a shop's history, each time when so many seconds have gone by."""

    def __init__(self, shop: Shop) -> None:
        self._now = 0.0
        history = SqlAlchemyHistoryStore(shop.order, shop.clock)
        self._watch = HistoryWatch("order", history, now=lambda: self._now)

    def look(self, *after: float) -> None:
        for seconds in after:
            self._now += seconds
            self._watch.look()


@contextmanager
def writing(shop: Shop) -> Iterator[None]:
    """Have a transaction write for as long as the block runs, as the oldest on its server once others have ended."""
    with shop.kitchen.write() as connection:
        mine = connection.scalar(text("SELECT CAST(pg_current_xact_id() AS text)"))
        wait_until(lambda: oldest_writer(shop) == mine)
        yield


def oldest_writer(shop: Shop) -> str:
    with shop.order.read() as session:
        return str(session.scalar(text("SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text)")))


def test_scenario_29_writer_that_does_not_end_is_told_once(shop: Shop) -> None:
    watcher = Watcher(shop)

    with Log("") as log, writing(shop):
        shop.place(1)
        watcher.look(0, ALARM, INTERVAL, INTERVAL, ALARM)

    assert [line[:52] for line in log.lines] == [
        f"readers of the history of order have waited for {ALARM + INTERVAL:.0f} s"
    ]


def test_scenario_29_end_of_a_writer_who_was_told_of_is_told_once(shop: Shop) -> None:
    watcher = Watcher(shop)
    with writing(shop):
        shop.place(1)
        watcher.look(0, ALARM + 1)

    with Log("") as log:
        watcher.look(INTERVAL, INTERVAL)

    assert log.lines == ["readers of the history of order wait no longer"]


def test_scenario_29_writers_who_end_and_are_followed_by_others_are_not_told(shop: Shop) -> None:
    watcher = Watcher(shop)

    with Log("") as log:
        for order_id in range(3):
            with writing(shop):
                shop.place(order_id)
                watcher.look(INTERVAL, ALARM - INTERVAL)

    assert log.lines == []


def test_scenario_28_publisher_whose_clock_is_behind_gives_no_false_alarm(database_url: str) -> None:
    with closing(Shop(database_url, clock=FiveMinutesBehind())) as shop:
        watcher = Watcher(shop)
        with Log("") as log, writing(shop):
            shop.place(1)
            watcher.look(0, ALARM)

    assert log.lines == []


def test_scenario_29_running_bus_looks_and_tells(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_watch, "ALARM", 0.0)
    monkeypatch.setattr(history_watch, "INTERVAL", 0.0)

    with Log("readers of the history of order wait no longer") as log:
        with Log("readers of the history of order have waited") as first, writing(shop):
            shop.place(1)
            shop.bus.start()
            has_begun = first.heard.wait(10)
        has_ended = log.heard.wait(10)

    assert (has_begun, has_ended) == (True, True)


@pytest.mark.parametrize(("seconds", "exit_code"), [(ALARM + 1, 0), (LATE + 1, 1)])
def test_scenario_29_status_shows_that_readers_wait_and_is_in_trouble_when_it_takes_long(
    shop: Shop, clock: FakeClock, seconds: float, exit_code: int
) -> None:
    with writing(shop):
        with shop.order.transaction():
            shop.bus.publish(OrderCancelled(1))
        clock.advance(seconds=seconds)
        result = Desk(shop, clock).call("status")

    waiting = "  readers of its history wait for a transaction that does not end, "
    assert [line.split(", ")[1] for line in result.stdout.splitlines() if line.startswith(waiting)]
    assert result.exit_code == exit_code
