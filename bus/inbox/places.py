"""Places for those who run a module's listeners, given in the order in which they are asked for."""

from __future__ import annotations

import threading
from collections import deque


class _Turn(threading.Event):
    is_given = False


class Places:
    """So many places; thread-safe. A plain semaphore would give one to whoever runs when it is let go."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._line: deque[_Turn] = deque()
        self._is_closed = False

    def take(self) -> bool:
        """Wait for a place; False where there will be none any more."""
        with self._lock:
            if self._is_closed:
                return False
            if self._free:
                self._free -= 1
                return True
            turn = _Turn()
            self._line.append(turn)
        turn.wait()
        return turn.is_given

    def leave(self) -> None:
        """Give the place to whoever has waited longest."""
        with self._lock:
            if not self._line:
                self._free += 1
                return
            turn = self._line.popleft()
            turn.is_given = True
        turn.set()

    def close(self) -> None:
        """Give none any more; who waits goes without."""
        with self._lock:
            self._is_closed = True
            line, self._line = self._line, deque()
        for turn in line:
            turn.set()
