"""What a clock promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bus.clock import Clock, to_microseconds


class ClockContract:
    """Certifies a `bus.Clock`; a subclass provides the fixture `clock`."""

    @pytest.fixture
    def clock(self) -> Clock:
        """Return the clock."""
        raise NotImplementedError("the subclass provides the fixture `clock`")

    def test_now_is_aware_and_in_utc(self, clock: Clock) -> None:
        """A naive moment would mean another one on another machine."""
        assert clock.now().utcoffset() == timedelta(0)

    def test_microseconds_are_a_whole_number(self, clock: Clock) -> None:
        """That is the form in which times are stored."""
        assert type(clock.microseconds()) is int

    def test_both_forms_tell_the_same_time(self, clock: Clock) -> None:
        """Neither is in another unit or from another clock."""
        before, microseconds, after = clock.now(), clock.microseconds(), clock.now()

        assert to_microseconds(before) <= microseconds <= to_microseconds(after)

    def test_now_does_not_run_backwards(self, clock: Clock) -> None:
        """A later moment is no earlier one, as long as nobody sets the clock."""
        moments = [clock.now() for _ in range(1000)]

        assert moments == sorted(moments)

    def test_microseconds_do_not_run_backwards(self, clock: Clock) -> None:
        """The same of the other form."""
        moments = [clock.microseconds() for _ in range(1000)]

        assert moments == sorted(moments)

    def test_time_does_not_run_backwards_in_any_of_many_threads(self, clock: Clock) -> None:
        """Every thread of a process asks the one clock."""
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: [clock.microseconds() for _ in range(500)], range(8)))

        assert all(moments == sorted(moments) for moments in told)
