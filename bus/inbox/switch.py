"""Counting how the last runs of each listener ended, to see when most of them fail."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from bus.retry import KillSwitch


class RunRecord:
    """Remembers how the last runs of each listener in this process ended; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: defaultdict[str, deque[tuple[int, bool]]] = defaultdict(deque)

    def add(self, listener_id: str, now: int, *, has_failed: bool, switch: KillSwitch) -> bool:
        """Take in how a run ended; True where so many have failed that the listener should pause.

        Then it is forgotten how they ended, so that a new judgement needs new runs.

        Args:
            listener_id: Whose run it was.
            now: When it ended, microseconds since the epoch.
            has_failed: Whether it failed.
            switch: From when on the listener should pause.
        """
        with self._lock:
            runs = self._runs[listener_id]
            runs.append((now, has_failed))
            if len(runs) > switch.runs:
                runs.popleft()
            if len(runs) < switch.runs or runs[0][0] < now - switch.window * 1_000_000:
                return False
            is_tripped = sum(failed for _, failed in runs) >= switch.share * len(runs)
            if is_tripped:
                runs.clear()
            return is_tripped
