"""Flow control: how many envelopes this process has on their way to each module."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

#: Unacknowledged envelopes that one process may have on their way to one module.
LIMIT = 1000


class Flow:
    """Counts what is on its way, by target module; thread-safe.

    While a module has a backlog in the outbox, fresh envelopes queue up behind it there: nothing is admitted
    until the relay has found that the backlog is gone. Closed, it admits nothing at all.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.renew()

    def renew(self) -> None:
        """Forget everything, closed: for a fresh start, and for a forked child."""
        self._lock = threading.Lock()
        self._on_their_way: defaultdict[str, set[str]] = defaultdict(set)
        self._backlogged: set[str] = set()
        self._is_open = False
        self._admitted = 0

    def open(self, targets: Iterable[str]) -> None:
        """Begin to admit. Each target counts as having a backlog until a sweep has looked."""
        with self._lock:
            self._backlogged = set(targets)
            self._is_open = True

    def close(self) -> None:
        """Admit nothing more."""
        with self._lock:
            self._is_open = False

    def admit(self, target: str, event_ids: list[str]) -> bool:
        """Count fresh envelopes as on their way; False, and a backlog, where they have to wait in the outbox."""
        with self._lock:
            on_their_way = self._on_their_way[target]
            is_free = self._is_open and target not in self._backlogged
            if not is_free or len(on_their_way) + len(event_ids) > self._limit:
                self._backlogged.add(target)
                return False
            on_their_way.update(event_ids)
            self._admitted += len(event_ids)
            return True

    def take(self, target: str, event_id: str) -> bool:
        """Count one from the outbox as on its way; False when it is already."""
        with self._lock:
            on_their_way = self._on_their_way[target]
            is_new = event_id not in on_their_way
            on_their_way.add(event_id)
            self._admitted += is_new
            return is_new

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Count envelopes no longer: acknowledged, given up, or never committed."""
        with self._lock:
            self._on_their_way[target].difference_update(event_ids)

    def free(self, target: str) -> int:
        """Return how many more envelopes may be on their way to a module."""
        with self._lock:
            return max(0, self._limit - len(self._on_their_way[target]))

    def caught_up(self, behind: Iterable[str]) -> None:
        """Admit fresh envelopes again for every module but those that are still behind."""
        with self._lock:
            self._backlogged.intersection_update(behind)

    def has_backlog(self) -> bool:
        """Say whether any module has envelopes waiting in the outbox."""
        with self._lock:
            return bool(self._backlogged)

    def on_their_way(self) -> int:
        """Return how many envelopes are on their way to any module."""
        with self._lock:
            return sum(map(len, self._on_their_way.values()))

    @property
    def admitted(self) -> int:
        """Envelopes that ever set out: who finds it unchanged knows that nothing has set out in between."""
        return self._admitted
