"""Durations as people write them: `45s`, `10m`, `2h`, `3d`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

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
