from __future__ import annotations

import pytest

from bus import SystemClock, Uuid7Source
from bus.testing import FakeClock
from bus.testing.contracts import ClockContract, IdSourceContract


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()


class TestFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()


class TestUuid7Source(IdSourceContract):
    @pytest.fixture
    def ids(self) -> Uuid7Source:
        return Uuid7Source(SystemClock())


class TestUuid7SourceWhoseClockStandsStill(IdSourceContract):
    @pytest.fixture
    def ids(self) -> Uuid7Source:
        return Uuid7Source(FakeClock())
