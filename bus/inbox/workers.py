"""A module's workers: the threads that run its listeners, fresh events and retries in turn."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable

from bus.courtesy import Courtesy
from bus.database_errors import database_trouble, reason_of
from bus.envelope import Envelope
from bus.errors import PublicationHeldError, StoppedError
from bus.inbox.inbox import Inbox
from bus.inbox.places import Places

log = logging.getLogger("bus")

#: Seconds after which a database that is away is asked again for the first time, doubled each time, and the longest.
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0

#: Says how a delivery ended: the module, the event, and whether every listener of it has a row now.
Finished = Callable[[str, Envelope, bool], None]

#: Says that a delivery begins beside which its siblings may be taken up: the module, and the id of the event.
Begun = Callable[[str, str], None]


class Workers:
    """Runs what a module's inbox receives, on `count` threads, and on those of a transport in their places.

    Made stopped. What is accepted meanwhile waits for the start. While the module's database is away nothing is
    taken, and what was taken waits here. Each run gives way to the requests that this process is answering.
    """

    def __init__(
        self, inbox: Inbox, count: int, finished: Finished, *, courtesy: Courtesy, begun: Begun = lambda *_: None
    ) -> None:
        self.inbox = inbox
        self._count = count
        self._finished = finished
        self._begun = begun
        self._courtesy = courtesy
        self._ready = threading.Condition()
        self._places = Places(count)
        self._fresh: deque[tuple[Envelope, int]] = deque()
        #: What threads of a transport wait with for a place.
        self._in_line: list[Envelope] = []
        self._guests: set[threading.Thread] = set()
        #: Events that another send of them would not help.
        self._present: set[str] = set()
        self._runs: Counter[str] = Counter()
        self._begun_here: dict[str, Envelope] = {}
        self._retry_is_due = False
        self._retry_has_turn = False
        self._is_stopping = False
        self._running = 0
        #: Seconds until the module's database is tried again; 0 while it is not known to be away.
        self._wait = 0.0
        self._threads: list[threading.Thread] = []

    @property
    def threads(self) -> list[threading.Thread]:
        """The threads that run listeners, and those of a transport that do so now."""
        with self._ready:
            return [*self._threads, *self._guests]

    def accept(self, envelope: Envelope, sends: int) -> None:
        """Queue an envelope, unless it waits here already; returns at once.

        One that runs is queued where there is another worker: a listener may take long, and its siblings wait.

        Raises:
            StoppedError: Nothing more is begun here.
        """
        with self._ready:
            self._require_open()
            if envelope.id not in self._present:
                self._present.add(envelope.id)
                self._fresh.append((envelope, sends))
                self._ready.notify()

    def run(self, envelope: Envelope, sends: int) -> None:
        """Run an envelope in the calling thread once there is a place; return when that has ended.

        What was still in line when nothing more was begun is among what `refuse` returns. What meets an outage of the
        module's database is queued.

        Raises:
            StoppedError: Nothing more is begun here.
        """
        with self._ready:
            self._require_open()
            self._in_line.append(envelope)
        if not self._places.take():
            return
        try:
            if self._leaves_line(envelope):
                self._take(lambda: self._run_fresh(envelope, sends))
        finally:
            self._places.leave()

    def _leaves_line(self, envelope: Envelope) -> bool:
        """Begin with an envelope that has a place now; False where it was refused meanwhile."""
        with self._ready:
            if self._is_stopping:
                return False
            self._in_line.remove(envelope)
            self._guests.add(threading.current_thread())
            self._begin(envelope)
            return True

    def _require_open(self) -> None:
        if self._is_stopping:
            raise StoppedError(f"the workers of {self.inbox.module} begin nothing more")

    def quarantine(self, data: bytes, *, origin: str, problem: str) -> None:
        """Keep what came for the module and was no envelope; in the calling thread.

        Raises:
            Exception: The module's database does not take it.
        """
        self.inbox.quarantine(data, origin=origin, problem=problem)

    def look_for_retries(self) -> None:
        """Look whether publications are due for another run; each worker claims one at a time."""
        if self.inbox.has_due():
            with self._ready:
                self._retry_is_due = True
                self._ready.notify_all()

    def is_idle(self) -> bool:
        """Say whether nothing waits or runs here."""
        with self._ready:
            return not (self._fresh or self._in_line or self._retry_is_due or self._running)

    def start(self) -> None:
        """Start the threads."""
        name = f"bus-{self.inbox.module}"
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(self._count)]
        for thread in self._threads:
            thread.start()

    def step(self) -> bool:
        """Wait for something to do and do it, in the calling thread; False when that is to end."""
        if not (self._has_work() and self._places.take()):
            return False
        try:
            step = self._next()
            if step is not None:
                self._take(step)
        finally:
            self._places.leave()
        return True

    def _take(self, step: Callable[[], None]) -> None:
        """Take a step that was begun, and give way before."""
        try:
            self._courtesy.give_way()
            step()
        except BaseException:
            # A worker ends when it is told to, and for no other reason: its module would hear nothing more.
            log.exception("a worker of %s met an error outside any run", self.inbox.module)
        finally:
            with self._ready:
                self._running -= 1
                self._guests.discard(threading.current_thread())
                if self._is_stopping:
                    self._ready.notify_all()

    def refuse(self) -> list[Envelope]:
        """Begin nothing more, and return what was not begun."""
        with self._ready:
            self._is_stopping = True
            self._ready.notify_all()
            refused, self._in_line = self._in_line, []
            refused += self._not_begun()
        self._places.close()
        return refused

    def wait(self, deadline: float) -> None:
        """Wait for what runs until the deadline (monotonic)."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._ready:
            self._ready.wait_for(lambda: not self._guests, max(0.0, deadline - time.monotonic()))

    def unended(self) -> list[Envelope]:
        """Return the events that have been taken up and have not ended, also what was put back meanwhile."""
        with self._ready:
            if self._running:
                log.warning("a listener of %s still runs after the grace period", self.inbox.module)
            return [*self._begun_here.values(), *self._not_begun()]

    def _not_begun(self) -> list[Envelope]:
        found = [envelope for envelope, _ in self._fresh]
        self._fresh.clear()
        return found

    def _work(self) -> None:
        while self.step():
            pass

    def _has_work(self) -> bool:
        """Wait for something to do; False when nothing more is begun."""
        with self._ready:
            while not (self._is_stopping or self._fresh or self._retry_is_due):
                self._ready.wait()
            return not self._is_stopping

    def _next(self) -> Callable[[], None] | None:
        """Begin something; a retry and a fresh event have their turns one after the other. None where nothing is left.

        Another thread may have taken it while this one waited for a place.
        """
        with self._ready:
            if self._is_stopping or not (self._fresh or self._retry_is_due):
                return None
            self._retry_has_turn = self._retry_is_due and not (self._retry_has_turn and self._fresh)
            if self._retry_has_turn:
                self._running += 1
                return self._run_retry
            envelope, sends = self._fresh.popleft()
            self._begin(envelope)
            if self._count > 1:
                self._present.discard(envelope.id)
        return lambda: self._run_fresh(envelope, sends)

    def _begin(self, envelope: Envelope) -> None:
        self._running += 1
        self._runs[envelope.id] += 1
        self._begun_here[envelope.id] = envelope

    def _run_fresh(self, envelope: Envelope, sends: int) -> None:
        is_done = is_put_back = False
        if self._count > 1:
            self._begun(self.inbox.module, envelope.id)
        try:
            self.inbox.receive(envelope, sends)
            self._has_database()
            is_done = True
        except PublicationHeldError:
            log.debug("event %s runs elsewhere, and stays with its publisher until that has ended", envelope.id)
        except Exception as error:
            is_put_back = self._wait_for_database(error)
            if not is_put_back:
                # The worker outlives it, and the event stays in its publisher's outbox until it is due again.
                log.exception("event %s stays with its publisher: %s cannot record it", envelope.id, self.inbox.module)
        finally:
            self._end_fresh(envelope, sends, is_done=is_done, is_put_back=is_put_back)

    def _end_fresh(self, envelope: Envelope, sends: int, *, is_done: bool, is_put_back: bool) -> None:
        with self._ready:
            is_last = self._has_ended(envelope.id)
            if is_put_back and is_last:
                self._present.add(envelope.id)
                self._fresh.appendleft((envelope, sends))
                self._ready.notify()
                return
        # What runs here still is on its way still.
        if is_done or is_last:
            self._finished(self.inbox.module, envelope, is_done)

    def _has_ended(self, event_id: str) -> bool:
        """Take note that a delivery has ended; True where no other of the same event waits or runs here."""
        self._runs[event_id] -= 1
        if self._count == 1:
            self._present.discard(event_id)
        if not self._runs[event_id]:
            del self._runs[event_id], self._begun_here[event_id]
        return event_id not in self._runs and event_id not in self._present

    def _wait_for_database(self, error: Exception) -> bool:
        """Where the module's database is behind the error, wait until it may be tried; False where it is not."""
        if database_trouble(error) is None:
            return False
        if self._lengthened_wait() == FIRST_WAIT:
            log.warning("the database of %s is away, its workers wait: %s", self.inbox.module, reason_of(error))
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
        with self._ready:
            was_away, self._wait = self._wait > 0, 0.0
        if was_away:
            log.warning("the database of %s is back", self.inbox.module)

    def _run_retry(self) -> None:
        found = False
        try:
            found = self.inbox.run_due()
            self._has_database()
        except PublicationHeldError:
            log.debug("what was due for %s is held elsewhere", self.inbox.module)
        except Exception as error:
            found = self._wait_for_database(error)
            if not found:
                # The worker outlives it; the publication is due again when the lease of its mark ends.
                log.exception("a retry of %s could not be run", self.inbox.module)
        if not found:
            with self._ready:
                self._retry_is_due = False
