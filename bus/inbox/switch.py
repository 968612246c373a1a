"""Counting how the last runs of each listener ended, to see when most of them fail."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bus.retry import KillSwitch


@dataclass(slots=True)
class _Runs:
    """How the last runs of one listener ended, oldest first, and how many of them failed."""

    ended: deque[tuple[int, bool]] = field(default_factory=deque)
    failed: int = 0


class RunRecord:
    """Remembers how the last runs of each listener in this process ended; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: defaultdict[str, _Runs] = defaultdict(_Runs)

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
            runs.ended.append((now, has_failed))
            runs.failed += has_failed
            if len(runs.ended) > switch.runs:
                runs.failed -= runs.ended.popleft()[1]
            if len(runs.ended) < switch.runs or runs.ended[0][0] < now - switch.window * 1_000_000:
                return False
            is_tripped = runs.failed >= switch.share * len(runs.ended)
            if is_tripped:
                del self._runs[listener_id]
            return is_tripped
