from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest

from bus import SystemClock, Uuid7Source
from bus.clock import to_datetime, to_microseconds
from bus.testing import FakeClock


def in_forked_child(work: Callable[[], str]) -> str:
    """Return what `work` returned in a forked child; empty when it did not return within seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result


def ids_of(source: Uuid7Source, count: int) -> list[str]:
    return [source.new() for _ in range(count)]


def test_id_is_a_uuid_of_version_seven_in_its_text_form() -> None:
    id = Uuid7Source(SystemClock()).new()

    assert str(UUID(id)) == id
    assert UUID(id).version == 7
    assert UUID(id).variant == RFC_4122


def test_id_begins_with_the_milliseconds_of_its_clock() -> None:
    clock = FakeClock(datetime(2026, 7, 1, 12, 30, 0, 123_456, tzinfo=UTC))

    id = Uuid7Source(clock).new()

    assert UUID(id).int >> 80 == clock.microseconds() // 1000


def test_ids_of_one_moment_are_unique_and_sort_in_the_order_of_their_making() -> None:
    ids = ids_of(Uuid7Source(FakeClock()), 10_000)

    assert sorted(set(ids)) == ids
    assert {UUID(id).version for id in ids} == {7}


def test_ids_sort_in_the_order_of_their_making_as_time_goes_on() -> None:
    clock = FakeClock()
    source = Uuid7Source(clock)
    ids = []

    for _ in range(1000):
        ids.append(source.new())
        clock.advance(milliseconds=1)

    assert sorted(set(ids)) == ids


def test_ids_sort_in_the_order_of_their_making_though_the_clock_is_set_back() -> None:
    clock = FakeClock()
    source = Uuid7Source(clock)

    before = ids_of(source, 10)
    clock.advance(hours=-1)
    after = ids_of(source, 10)

    assert sorted(before + after) == before + after


def test_ids_of_many_threads_are_unique_and_sorted_within_each() -> None:
    source = Uuid7Source(FakeClock())

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: ids_of(source, 2000), range(8)))

    assert all(sorted(ids) == ids for ids in made)
    stamps = {UUID(id).int >> 64 for ids in made for id in ids}
    assert len(stamps) == 16_000


def test_ids_of_two_threads_that_begin_together_are_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Uuid7Source(FakeClock())
    together = threading.Barrier(2)

    def meet(_bits: int) -> int:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.1)  # in vain, where one thread at a time comes here
        return 0

    monkeypatch.setattr(secrets, "randbits", meet)

    with ThreadPoolExecutor(2) as threads:
        ids = list(threads.map(lambda _: source.new(), range(2)))

    assert len({UUID(id).int >> 64 for id in ids}) == 2


def test_forked_child_makes_none_of_its_parents_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbits", lambda _bits: 0)  # parent and child begin with the same count
    source = Uuid7Source(FakeClock())
    before = ids_of(source, 100)

    of_child = in_forked_child(lambda: " ".join(ids_of(source, 100))).split()

    of_parent = before + ids_of(source, 100)
    assert len(of_child) == 100
    assert set(of_child).isdisjoint(of_parent)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_forked_child_makes_ids_though_a_thread_of_its_parent_was_making_one(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Uuid7Source(FakeClock())
    is_making, may_go_on = threading.Event(), threading.Event()

    def dawdle(_bits: int) -> int:
        if threading.current_thread() is thread:
            is_making.set()
            may_go_on.wait(30)
        return 0

    monkeypatch.setattr(secrets, "randbits", dawdle)
    thread = threading.Thread(target=source.new)
    thread.start()
    is_making.wait(30)

    of_child = in_forked_child(source.new)
    may_go_on.set()
    thread.join()

    assert len(of_child) == 36


def test_system_clock_tells_aware_time_in_utc() -> None:
    before = datetime.now(UTC)

    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, 0, 999_999, tzinfo=UTC),
        datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
    ids=str,
)
def test_moment_survives_being_stored_as_microseconds(moment: datetime) -> None:
    assert to_datetime(to_microseconds(moment)) == moment
