"""Durations such as `10m` and `1h30m`, and moments such as `2h` ago, as options take them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from bus.clock import Clock, to_microseconds

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d+[dhms])+")
_PART = re.compile(r"(\d+)([dhms])")

#: Longer ones are typing errors, and no database keeps the moment they lead to.
_LONGEST = timedelta(days=36_500)


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names: `45s`, `10m`, `2h`, `3d`, `1h30m`.

    Raises:
        ValueError: It names none, or one of no length or of more than a hundred years.
    """
    try:
        parts = _PART.findall(text) if _DURATION.fullmatch(text) else []
        found = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in parts), timedelta())
    except OverflowError:
        found = timedelta()
    if not timedelta() < found <= _LONGEST:
        raise ValueError(f"{text!r} is no duration; write 45s, 10m, 2h, 3d or 1h30m")
    return found


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
