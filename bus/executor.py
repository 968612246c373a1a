"""The threads of one bus on which its background listeners run."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from bus.errors import StoppedError

log = logging.getLogger("bus")


class Executor:
    """Runs jobs on at most `threads` threads, each made when a job finds none idle.

    The threads are daemons, unlike those of `concurrent.futures`: at the interpreter's exit they get the grace
    period of the bus, and a job that never ends does not keep the process.
    """

    def __init__(self, threads: int) -> None:
        self._limit = threads
        self._is_closed = False
        self.renew()

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Run a job soon, on another thread; what it raises is logged under its name.

        Raises:
            StoppedError: The executor is closed.
        """
        with self._changed:
            if self._is_closed:
                raise StoppedError(
                    f"background listener {name} cannot run any more: the bus is closed; publish before "
                    "`bus.close()`, or have it run in the publisher's thread, without background=True"
                )
            if self._idle <= len(self._jobs) and len(self._threads) < self._limit:
                self._start_thread()
            self._jobs.append((name, job))
            self._changed.notify()

    @property
    def is_used(self) -> bool:
        """Whether it has threads."""
        return bool(self._threads)

    def runs_here(self) -> bool:
        """Say whether this thread is one of its own."""
        return threading.current_thread() in self._threads

    def close(self, deadline: float) -> None:
        """Take no more jobs, and wait for those that there are until the deadline (monotonic)."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            left = [*self._running, *(name for name, _ in self._jobs)]
            self._jobs.clear()
        if left:
            log.warning("after the grace period these background listeners are not done: %s", ", ".join(left))

    def renew(self) -> None:
        """Begin anew in a forked child: the parent's threads and their jobs are not there."""
        self._changed = threading.Condition()
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._threads: list[threading.Thread] = []
        self._running: list[str] = []
        self._idle = 0

    def _start_thread(self) -> None:
        name = f"bus-background-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self) -> None:
        while (found := self._next()) is not None:
            name, job = found
            try:
                job()
            except BaseException:
                # Its publisher has gone on long ago, and the thread is needed for the next job.
                log.exception("background listener %s failed", name)
            finally:
                with self._changed:
                    self._running.remove(name)

    def _next(self) -> tuple[str, Callable[[], None]] | None:
        with self._changed:
            self._idle += 1
            while not (self._jobs or self._is_closed):
                self._changed.wait()
            self._idle -= 1
            if not self._jobs:
                return None
            found = self._jobs.popleft()
            self._running.append(found[0])
            return found
