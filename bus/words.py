"""Numbers, durations and moments in words, for people at a terminal."""

from __future__ import annotations

from bus.clock import to_datetime

_SECOND = 1_000_000
#: Units of long durations, the longest first, in microseconds.
_UNITS = (("d", 86_400 * _SECOND), ("h", 3_600 * _SECOND), ("min", 60 * _SECOND), ("s", _SECOND))


def duration_text(microseconds: int) -> str:
    """Return a duration as a person would say it: `<1 ms`, `12 ms`, `1.5 s`, `2 min 5 s`, `3 d 4 h`."""
    if microseconds < 1000:
        return "<1 ms" if microseconds > 0 else "0 ms"
    if microseconds < _SECOND:
        return f"{microseconds // 1000} ms"
    if microseconds < 60 * _SECOND:
        return f"{microseconds / _SECOND:.1f} s".replace(".0 s", " s")
    return _two_units(microseconds)


def _two_units(microseconds: int) -> str:
    place = next(number for number, (_, length) in enumerate(_UNITS) if microseconds >= length)
    parts = []
    for name, length in _UNITS[place : place + 2]:
        count, microseconds = divmod(microseconds, length)
        parts += [f"{count} {name}"] if count else []
    return " ".join(parts)


def moment_text(microseconds: int) -> str:
    """Return a stored moment in UTC to the second: `2026-01-01T12:00:00Z`."""
    return to_datetime(microseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun: `1 event`, `2 events`, `no event`; the noun's plural takes an s."""
    return f"{count or 'no'} {noun}{'s' if count > 1 else ''}"


def one_line(text: str) -> str:
    """Return text from elsewhere so that it stays in its line, and steers no terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
