"""Time and identity as ports, so that a test can hold both still."""

from __future__ import annotations

import os
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day; thread-safe. It never runs backwards, unless somebody sets it back."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def microseconds(self) -> int:
        """Return the present moment as whole microseconds since the epoch, the form that is stored."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def microseconds(self) -> int:
        """Return the present moment as whole microseconds since the epoch."""
        return time.time_ns() // 1000


class IdSource(Protocol):
    """Makes identifiers that no other process makes; thread-safe and safe after a fork."""

    def new(self) -> str:
        """Return a fresh identifier of 36 characters."""
        ...


class Uuid7Source:
    """UUIDv7 as RFC 9562 has it, with a counter: the ids of one process sort in the order of their making.

    A forked child starts anew, so parent and child never share an id.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._last = 0

    def new(self) -> str:
        """Return a fresh UUIDv7 in its text form."""
        digits = f"{self._next_stamp():016x}"
        tail = os.urandom(8).hex()
        variant = "89ab"[int(tail[0], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-7{digits[13:]}-{variant}{tail[1:4]}-{tail[4:]}"

    def _next_stamp(self) -> int:
        """Return 48 bits of milliseconds, four bits left free, and a counter of 12 bits that never runs backwards."""
        now = (self._clock.microseconds() // 1000) << 16
        if self._pid != os.getpid():
            # A thread of the parent may have held the lock when this child was made; it is not here to let go.
            self._pid, self._last, self._lock = os.getpid(), 0, threading.Lock()
        with self._lock:
            if now > self._last:
                # A random start leaves room for 2,048 ids before the counter would borrow from the next millisecond.
                self._last = now + secrets.randbits(11)
            elif self._last & 0xFFF == 0xFFF:
                self._last = ((self._last >> 16) + 1) << 16
            else:
                self._last += 1
            return self._last


def to_microseconds(moment: datetime) -> int:
    """Return an aware moment as whole microseconds since the epoch."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond


def to_datetime(microseconds: int) -> datetime:
    """Return stored microseconds since the epoch as an aware moment in UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
