from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from bus import Clock, IdSource
from bus.testing import FakeClock
from bus.testing.contracts import ClockContract, IdSourceContract


class NaiveClock(FakeClock):
    def now(self) -> datetime:
        return super().now().replace(tzinfo=None)


class BackwardsClock(FakeClock):
    def now(self) -> datetime:
        self.advance(seconds=-1)
        return super().now()

    def microseconds(self) -> int:
        self.advance(seconds=-1)
        return super().microseconds()


class MillisecondClock(FakeClock):
    def microseconds(self) -> int:
        return super().microseconds() // 1000


class FloatingClock(FakeClock):
    def microseconds(self) -> int:
        return super().microseconds() / 1  # type: ignore[return-value]  # that is what is wrong with it


class TestNaiveClock(ClockContract):
    breaks = ("test_now_is_aware_and_in_utc",)

    @pytest.fixture
    def clock(self) -> Clock:
        return NaiveClock()


class TestBackwardsClock(ClockContract):
    breaks = (
        "test_now_does_not_run_backwards",
        "test_microseconds_do_not_run_backwards",
        "test_time_does_not_run_backwards_in_any_of_many_threads",
    )

    @pytest.fixture
    def clock(self) -> Clock:
        return BackwardsClock()


class TestMillisecondClock(ClockContract):
    breaks = ("test_both_forms_tell_the_same_time",)

    @pytest.fixture
    def clock(self) -> Clock:
        return MillisecondClock()


class TestFloatingClock(ClockContract):
    breaks = ("test_microseconds_are_a_whole_number",)

    @pytest.fixture
    def clock(self) -> Clock:
        return FloatingClock()


class CountingIds:
    """Begins anew after a thousand."""

    def __init__(self) -> None:
        self.count = 0

    def new(self) -> str:
        self.count = (self.count + 1) % 1000
        return f"{self.count:036d}"


class LongIds:
    def new(self) -> str:
        return f"order-{uuid4()}"


class SpacedIds:
    def new(self) -> str:
        return str(uuid4()).replace("-", " ")


class SeededIds:
    """A forked child goes on where its parent was."""

    def __init__(self) -> None:
        self._random = random.Random(1)

    def new(self) -> str:
        return str(UUID(int=self._random.getrandbits(128)))


class TestCountingIds(IdSourceContract):
    breaks = ("test_no_identifier_is_made_twice", "test_no_identifier_is_made_by_two_threads")

    @pytest.fixture
    def ids(self) -> IdSource:
        return CountingIds()


class TestLongIds(IdSourceContract):
    breaks = ("test_identifier_has_36_characters",)

    @pytest.fixture
    def ids(self) -> IdSource:
        return LongIds()


class TestSpacedIds(IdSourceContract):
    breaks = ("test_identifier_is_plain_text",)

    @pytest.fixture
    def ids(self) -> IdSource:
        return SpacedIds()


class TestSeededIds(IdSourceContract):
    breaks = ("test_forked_child_makes_none_of_its_parents_identifiers",)

    @pytest.fixture
    def ids(self) -> IdSource:
        return SeededIds()
