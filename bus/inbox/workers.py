"""A module's workers: the threads that run its listeners, fresh events and retries in turn."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from bus.courtesy import Courtesy
from bus.database_errors import database_trouble
from bus.envelope import Envelope
from bus.inbox.inbox import Inbox

log = logging.getLogger("bus")

#: Seconds after which a database that is away is asked again for the first time, doubled each time, and the longest.
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0

#: Says how a delivery ended: the module, the event, and whether every listener of it has a row now.
Finished = Callable[[str, Envelope, bool], None]


class Workers:
    """Runs what a module's inbox receives, on `count` threads; a module on SQLite has one.

    Made stopped. What is accepted meanwhile waits for the start. While the module's database is away nothing is
    taken, and what was taken waits here. Each run gives way to the requests that this process is answering.
    """

    def __init__(self, inbox: Inbox, count: int, finished: Finished, *, courtesy: Courtesy) -> None:
        self.inbox = inbox
        self._count = count
        self._finished = finished
        self._courtesy = courtesy
        self._ready = threading.Condition()
        self._fresh: deque[tuple[Envelope, int]] = deque()
        self._present: set[str] = set()
        self._retry_is_due = False
        self._retry_has_turn = False
        self._is_stopping = False
        self._running = 0
        #: Seconds until the module's database is tried again; 0 while it is not known to be away.
        self._wait = 0.0
        self.threads: list[threading.Thread] = []

    def accept(self, envelope: Envelope, sends: int) -> None:
        """Queue an envelope, unless it waits or runs here already; returns at once."""
        with self._ready:
            if envelope.id not in self._present:
                self._present.add(envelope.id)
                self._fresh.append((envelope, sends))
                self._ready.notify()

    def look_for_retries(self) -> None:
        """Look whether publications are due for another run; each worker claims one at a time."""
        if self.inbox.has_due():
            with self._ready:
                self._retry_is_due = True
                self._ready.notify_all()

    def is_idle(self) -> bool:
        """Say whether nothing waits or runs here."""
        with self._ready:
            return not self._fresh and not self._retry_is_due and not self._running

    def start(self) -> None:
        """Start the threads."""
        name = f"bus-{self.inbox.module}"
        self.threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(self._count)]
        for thread in self.threads:
            thread.start()

    def stop(self, deadline: float) -> list[Envelope]:
        """Begin nothing more, wait for what runs until the deadline (monotonic), and return what was not begun."""
        with self._ready:
            self._is_stopping = True
            self._ready.notify_all()
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("a listener of %s still runs after the grace period", self.inbox.module)
        with self._ready:
            return [envelope for envelope, _ in self._fresh]

    def _work(self) -> None:
        while (step := self._next()) is not None:
            try:
                self._courtesy.give_way()
                step()
            except BaseException:
                # A worker ends when it is told to, and for no other reason: its module would hear nothing more.
                log.exception("a worker of %s met an error outside any run", self.inbox.module)
            finally:
                with self._ready:
                    self._running -= 1

    def _next(self) -> Callable[[], None] | None:
        """Wait for something to do; a retry and a fresh event have their turns one after the other."""
        with self._ready:
            while not (self._is_stopping or self._fresh or self._retry_is_due):
                self._ready.wait()
            if self._is_stopping:
                return None
            self._running += 1
            self._retry_has_turn = self._retry_is_due and not (self._retry_has_turn and self._fresh)
            if self._retry_has_turn:
                return self._run_retry
            envelope, sends = self._fresh.popleft()
        return lambda: self._run_fresh(envelope, sends)

    def _run_fresh(self, envelope: Envelope, sends: int) -> None:
        is_done = is_put_back = False
        try:
            self.inbox.receive(envelope, sends)
            self._has_database()
            is_done = True
        except Exception as error:
            is_put_back = self._wait_for_database(error)
            if not is_put_back:
                # The worker outlives it, and the event stays in its publisher's outbox until it is due again.
                log.exception("event %s stays with its publisher: %s cannot record it", envelope.id, self.inbox.module)
        finally:
            self._end_fresh(envelope, sends, is_done=is_done, is_put_back=is_put_back)

    def _end_fresh(self, envelope: Envelope, sends: int, *, is_done: bool, is_put_back: bool) -> None:
        with self._ready:
            if is_put_back:
                self._fresh.appendleft((envelope, sends))
                return
            self._present.discard(envelope.id)
        self._finished(self.inbox.module, envelope, is_done)

    def _wait_for_database(self, error: Exception) -> bool:
        """Where the module's database is behind the error, wait until it may be tried; False where it is not."""
        if database_trouble(error) is None:
            return False
        if self._lengthened_wait() == FIRST_WAIT:
            log.warning("the database of %s is away, its workers wait: %s", self.inbox.module, error)
        while not (self._is_stopped_within(self._wait) or self.inbox.is_open()):
            self._lengthened_wait()
        return True

    def _lengthened_wait(self) -> float:
        # It goes on growing until something was recorded: a full disk lets transactions begin, and takes nothing.
        with self._ready:
            self._wait = min(LONGEST_WAIT, self._wait * 2 or FIRST_WAIT)
            return self._wait

    def _is_stopped_within(self, seconds: float) -> bool:
        with self._ready:
            return self._ready.wait_for(lambda: self._is_stopping, seconds)

    def _has_database(self) -> None:
        """Take note that the module's database took what it was given."""
        if self._wait:
            self._wait = 0.0
            log.warning("the database of %s is back", self.inbox.module)

    def _run_retry(self) -> None:
        found = False
        try:
            found = self.inbox.run_due()
            self._has_database()
        except Exception as error:
            found = self._wait_for_database(error)
            if not found:
                # The worker outlives it; the publication is due again when the lease of its mark ends.
                log.exception("a retry of %s could not be run", self.inbox.module)
        if not found:
            with self._ready:
                self._retry_is_due = False
