"""A clock that a test moves by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bus.clock import to_microseconds


class FakeClock:
    """Stands still until it is told to move."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self._now

    def microseconds(self) -> int:
        """Return the present moment as whole microseconds since the epoch."""
        return to_microseconds(self._now)

    def advance(self, **duration: float) -> None:
        """Move on by a duration, given as `timedelta` takes it: `advance(seconds=30)`."""
        self._now += timedelta(**duration)
