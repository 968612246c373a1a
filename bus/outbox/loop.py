"""The thread that drives one module's relay."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from bus.database_errors import database_trouble, reason_of
from bus.outbox.relay import BATCH, Relay

log = logging.getLogger("bus")

#: Seconds between two looks for what has come due.
SWEEP_INTERVAL = 1.0

#: The same while envelopes wait for places, or are held behind others.
TURN_INTERVAL = 0.05

#: Seconds for which acknowledgements are gathered, so that one transaction takes many.
GATHER = 0.25


class RelayLoop:
    """Acknowledges and sweeps for one module, on a thread of its own: a locked database delays only its own module.

    Runs once: a new start makes a new one.
    """

    def __init__(self, relay: Relay, look_for_retries: Callable[[], None]) -> None:
        self.relay = relay
        self._look_for_retries = look_for_retries
        self._woken = threading.Event()
        self._gathered = threading.Event()
        self._sweep_at = 0.0
        self._has_failed = False
        self._left: deque[tuple[str, str]] = deque()
        self._last_step: Callable[[], None] | None = None
        self.thread = threading.Thread(target=self._run, name=f"bus-{relay.source}-relay", daemon=True)

    def wake(self) -> None:
        """Acknowledge what there is, sweep, and look for retries, now."""
        self._sweep_at = 0.0
        self._gathered.set()
        self._woken.set()

    def hurry(self) -> None:
        """Sweep soon for those who wait; many who ask for it are served by one sweep."""
        self._woken.set()

    def acknowledged(self) -> None:
        """Hear that an acknowledgement has come in."""
        if self.relay.unwritten >= BATCH:
            self._gathered.set()
        self._woken.set()

    def give_back(self, left: Iterable[tuple[str, str]]) -> None:
        """Release at once what was sent and will not be run here, given as targets and event ids."""
        self._left.extend(left)
        self._woken.set()
        self._gathered.set()

    def end(self, last_step: Callable[[], None]) -> None:
        """Make the thread take this step, write what acknowledgements there are, release what is left, and end."""
        self._last_step = last_step
        self._woken.set()
        self._gathered.set()

    def _run(self) -> None:
        while self._last_step is None:
            self._woken.wait(self._pause())
            if self._sweep_at and self._last_step is None:
                self._gathered.wait(GATHER if self.relay.is_direct else TURN_INTERVAL)
            self._woken.clear()
            self._gathered.clear()
            if not self._guarded(self._pass):
                # What failed at once may fail at once again: it is tried at the pace of an idle relay.
                self._gathered.wait(SWEEP_INTERVAL)
        for step in (self._last_step, self.relay.acknowledge, self._release):
            self._guarded(step)

    def _release(self) -> None:
        left = [self._left.popleft() for _ in range(len(self._left))]
        for target in sorted({target for target, _ in left}):
            self.relay.release(target, [event_id for found, event_id in left if found == target])

    def _pause(self) -> float:
        until_sweep = max(0.0, self._sweep_at - time.monotonic())
        return until_sweep if self.relay.is_direct else min(TURN_INTERVAL, until_sweep)

    def _pass(self) -> None:
        is_due = time.monotonic() >= self._sweep_at
        if is_due:
            self._sweep_at = time.monotonic() + SWEEP_INTERVAL
        self.relay.acknowledge()
        self._release()
        if is_due:
            self._look_for_retries()
            self.relay.sweep()
            self._works()
        else:
            self.relay.turn()

    def _guarded(self, step: Callable[[], None]) -> bool:
        """Take a step; False where it failed."""
        try:
            step()
        except BaseException as error:
            # The thread outlives whatever one pass meets; what is due stays due. An outage is told once.
            level = logging.DEBUG if self._has_failed else logging.ERROR
            trouble = database_trouble(error)
            told = "the relay of %s could not finish a pass; it tries again: %s"
            log.log(level, told, self.relay.source, reason_of(error), exc_info=None if trouble else error)
            self._has_failed = True
            return False
        return True

    def _works(self) -> None:
        """Take note of a whole pass: one that only looks for acknowledgements asks the database nothing."""
        if self._has_failed:
            log.warning("the relay of %s works again", self.relay.source)
            self._has_failed = False
