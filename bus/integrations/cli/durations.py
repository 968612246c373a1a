"""Durations such as `10m` and `1h30m`, and moments such as `2h` ago, as options take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from bus.clock import Clock, to_microseconds
from bus.duration import parse_duration


class DurationType(click.ParamType[timedelta]):
    """An option that takes a duration."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration, or fail in click's way."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class MomentType(click.ParamType[timedelta | datetime]):
    """An option that takes a moment: how long ago, or in ISO 8601, in UTC where it names no zone."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | datetime:
        """Return how long ago it was, or the moment itself, or fail in click's way."""
        try:
            return parse_duration(str(value))
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment; write how long ago, as 2h, or 2026-01-31T12:00:00Z", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


DURATION = DurationType()
MOMENT = MomentType()


def moment_of(value: timedelta | datetime, clock: Clock) -> int:
    """Return what `MOMENT` has read as microseconds since the epoch."""
    return to_microseconds(clock.now() - value if isinstance(value, timedelta) else value)
