"""Bytes that were no envelope: kept once, counted, and bounded."""

from __future__ import annotations

import hashlib

import pytest

from bus import operations_of
from bus.inbox.announcements import Announcements
from bus.inbox.quarantine import MAX_KEPT
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
from bus.testing import FakeClock
from tests.durable.faults import Log
from tests.durable.shop import Shop


@pytest.fixture
def quarantine(shop: Shop) -> SqlAlchemyQuarantineStore:
    return SqlAlchemyQuarantineStore(shop.kitchen, shop.clock)


def test_bytes_are_kept_with_where_they_came_from_and_what_is_wrong(
    quarantine: SqlAlchemyQuarantineStore, clock: FakeClock
) -> None:
    digest = quarantine.add(b"\xffgarbage", origin="redis queue kitchen", problem="no msgpack")

    [found] = quarantine.all()
    assert digest == found.digest == hashlib.sha256(b"\xffgarbage").hexdigest()
    assert (found.data, found.size, found.times) == (b"\xffgarbage", 8, 1)
    assert (found.origin, found.problem) == ("redis queue kitchen", "no msgpack")
    assert found.first_at == found.last_at == clock.microseconds()


def test_same_bytes_are_kept_once_and_counted(quarantine: SqlAlchemyQuarantineStore, clock: FakeClock) -> None:
    began = clock.microseconds()
    digests = set()
    for number in range(5):
        digests.add(quarantine.add(b"garbage", origin=f"queue {number}", problem="no msgpack"))
        clock.advance(seconds=1)

    [found] = quarantine.all()
    assert len(digests) == 1
    assert (found.times, found.origin) == (5, "queue 4")
    assert (found.first_at, found.last_at) == (began, began + 4_000_000)


def test_long_bytes_are_kept_in_part_and_told_apart_by_the_whole(quarantine: SqlAlchemyQuarantineStore) -> None:
    begin = b"x" * MAX_KEPT
    for end in (b"1", b"2", b"2" * 10_000):
        quarantine.add(begin + end, origin="o" * 1000, problem="too long")

    found = quarantine.all()
    assert {(len(entry.data), entry.size) for entry in found} == {
        (65_536, 65_537),
        (65_536, 75_536),
    }
    assert len(found) == 3
    assert {len(entry.origin) for entry in found} == {200}


def test_newest_come_first_and_one_can_be_removed_once(
    shop: Shop, quarantine: SqlAlchemyQuarantineStore, clock: FakeClock
) -> None:
    for data in (b"a", b"b"):
        quarantine.add(data, origin="", problem="")
        clock.advance(seconds=1)
    digest = quarantine.all()[0].digest

    removed = [quarantine.remove(digest), quarantine.remove(digest)]

    assert removed == [True, False]
    assert [(name, entry.data) for name, entry in operations_of(shop.bus).quarantined()] == [("kitchen", b"a")]


def test_module_with_something_in_quarantine_is_degraded(shop: Shop, quarantine: SqlAlchemyQuarantineStore) -> None:
    quarantine.add(b"a", origin="", problem="")

    [order, kitchen] = sorted(shop.bus.life.status(), key=lambda status: status.module != "order")

    assert (kitchen.quarantined, kitchen.is_degraded, order.is_degraded) == (1, True, False)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_receiver_that_fails_stops_no_announcement(shop: Shop, error: BaseException) -> None:
    def fail(_bus: object, **_details: object) -> None:
        raise error

    shop.bus.signals.quarantined.connect(fail)

    with Log("a receiver of the signal") as log:
        Announcements(shop.bus.signals, shop.bus).quarantined("digest", "problem")

    assert log.heard.is_set()
