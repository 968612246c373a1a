"""The messages that a process has in hand: each is held until its event has ended, or until everything is let go."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable


class Hold:
    """What is held between the opening of a transport and its end; thread-safe.

    Attributes:
        is_over: Set when everything is let go.
    """

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self._lock = threading.Lock()
        self._held: defaultdict[tuple[str, str], list[threading.Event]] = defaultdict(list)
        self._running: set[threading.Thread] = set()

    def take(self, module: str, event_id: str) -> threading.Event:
        """Hold a message of a module until what is returned is set."""
        ended = threading.Event()
        with self._lock:
            if self.is_over.is_set():
                ended.set()
            else:
                self._held[module, event_id].append(ended)
        return ended

    def let_go(self, module: str, event_id: str) -> None:
        """Let a module's messages with this event go."""
        with self._lock:
            held = self._held.pop((module, event_id), [])
        for ended in held:
            ended.set()

    def let_all_go(self) -> None:
        """Let everything go, and what comes from now on at once."""
        with self._lock:
            self.is_over.set()
            left, self._held = self._held, defaultdict(list)
        for held in left.values():
            for ended in held:
                ended.set()

    def run(self, listeners: Callable[[], None]) -> None:
        """Run listeners in this thread, or stand in line for it."""
        self._running.add(threading.current_thread())
        try:
            listeners()
        finally:
            self._running.discard(threading.current_thread())

    def is_running(self, thread: threading.Thread) -> bool:
        """Say whether a thread runs listeners, or stands in line for it."""
        return thread in self._running
