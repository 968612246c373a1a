"""Keeps publishers from running away from the listeners: what lies in a process when it is killed is sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable

#: Runs of listeners that a process may be behind with before its publisher waits for them.
BEHIND = 120

#: Events that all processes together may owe, before those that were counted in vain are taken for run elsewhere.
OWED = 500

#: Seconds between two looks at what is owed, and their number: what a dead process held keeps nobody for long.
LOOK, LOOKS = 0.25, 8

#: The same for a process whose orders are run by others: what it has sent lies in a broker, which may forget it all.
DISTANT_OWED, DISTANT_LOOK, DISTANT_LOOKS = 150, 0.05, 8


class Pace:
    """The runs that a process owes to its own orders, as far as it knows; thread-safe.

    Args:
        owed: Says how many events are owed by all processes.
    """

    def __init__(self, owed: Callable[[], int]) -> None:
        self._owed = owed
        self._changed = threading.Condition()
        self._behind = 0

    def published(self, runs: int) -> None:
        """Count the runs that a transaction will lead to, and wait while there are too many."""
        for _ in range(LOOKS):
            if self._has_caught_up() or self._owed() < OWED:
                break
        with self._changed:
            self._behind = min(self._behind, BEHIND) + runs

    def ran(self) -> None:
        """Count a run, also one that follows from another process's order."""
        with self._changed:
            self._behind = max(0, self._behind - 1)
            self._changed.notify()

    def _has_caught_up(self) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._behind < BEHIND, LOOK)


class DistantPace:
    """The pace of a process whose orders are run by others: it sees what is owed alone.

    Args:
        owed: Says how many events are owed by all processes.
    """

    def __init__(self, owed: Callable[[], int]) -> None:
        self._owed = owed
        self._pause = threading.Event()

    def published(self, runs: int) -> None:
        """Wait while too much is owed."""
        for _ in range(DISTANT_LOOKS):
            if self._owed() < DISTANT_OWED:
                break
            self._pause.wait(DISTANT_LOOK)
