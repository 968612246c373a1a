"""What the processes of a run show one another in shared memory; it outlives each of them."""

from __future__ import annotations

import mmap
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PLACE = struct.Struct("=QQ")


class Board:
    """A place for each slot: how many orders were acknowledged there, and how many listeners run now.

    Made before the processes are forked; one process at a time writes to a place.
    """

    def __init__(self, slots: int) -> None:
        self._memory = mmap.mmap(-1, _PLACE.size * slots)
        self._slots = slots

    def place(self, slot: int) -> Place:
        """Return a slot's place."""
        return Place(self._memory, slot * _PLACE.size)

    def acknowledged(self) -> int:
        """Return how many orders were acknowledged in all slots."""
        return sum(self.place(slot).acknowledged for slot in range(self._slots))


class Place:
    """What one slot shows; thread-safe in the process that writes."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory, self._offset = memory, offset
        self._lock = threading.Lock()

    @property
    def acknowledged(self) -> int:
        """How many orders were acknowledged, by this process and those before it."""
        return self._read()[0]

    @property
    def running(self) -> int:
        """How many listeners ran when it was last written: where the process is dead, at its end."""
        return self._read()[1]

    def begin(self, acknowledged: int) -> None:
        """Set what the processes before were told, and forget what ran in them."""
        _PLACE.pack_into(self._memory, self._offset, acknowledged, 0)

    def acknowledge(self, count: int) -> None:
        """Count orders."""
        self._change(acknowledged=count)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Show that a listener runs."""
        self._change(running=1)
        try:
            yield
        finally:
            self._change(running=-1)

    def _change(self, *, acknowledged: int = 0, running: int = 0) -> None:
        with self._lock:
            before = self._read()
            _PLACE.pack_into(self._memory, self._offset, before[0] + acknowledged, before[1] + running)

    def _read(self) -> tuple[int, int]:
        acknowledged, running = _PLACE.unpack_from(self._memory, self._offset)
        return acknowledged, running
