"""Start, stop and end of one bus: what runs beside the publishers, and the events that tell of it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from bus.errors import BusError, StoppedError
from bus.executor import Executor
from bus.life import BusClosed, BusStarted, BusStopped, Life, NoLife

if TYPE_CHECKING:
    from bus.bus import EventBus

log = logging.getLogger("bus")


class Lifecycle:
    """Starts, stops and closes a bus, once each, from any thread; `EventBus` says what is promised.

    Attributes:
        life: What carries recorded events.
    """

    def __init__(self, bus: EventBus, executor: Executor) -> None:
        self.life: Life = NoLife()
        self._bus = bus
        self._executor = executor
        self._lock = threading.Lock()
        self._is_closed = False
        self._closes_at_exit = False
        _renew_in_forked_child(bus)

    def start(self) -> None:
        """Start, unless it runs or is closed."""
        with self._lock:
            has_started = not self._is_closed and self.life.start()
            if has_started:
                self._close_at_exit()
        if has_started:
            self._bus.publish(BusStarted(self._bus))

    def drain(self, timeout: float) -> None:
        """Start if need be, and return when nothing is owed."""
        if self._is_closed:
            raise StoppedError("drain() finds the bus closed; what it has recorded is carried by whoever runs next")
        self.start()
        self.life.drain(timeout)

    def stop(self, grace: float) -> None:
        """Stop what carries events; the background listeners go on."""
        _require_outside(self.life.runs_here(), "stop")
        if not self.life.stop(grace):
            return
        if not self._executor.is_used:
            self._leave_exit()
        self._announce(BusStopped(self._bus))

    def close(self, grace: float) -> None:
        """End everything, for good."""
        _require_outside(self.life.runs_here() or self._executor.runs_here(), "close")
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        deadline = time.monotonic() + grace
        try:
            self._announce(BusClosed(self._bus))
            self.stop(max(0.0, deadline - time.monotonic()))
        except BaseException:
            deadline = time.monotonic()
            raise
        finally:
            self._executor.close(deadline)
            self._leave_exit()

    def run_in_background(self, name: str, job: Callable[[], None]) -> None:
        """Run a listener on a thread of the executor, which is closed at the interpreter's exit."""
        self._executor.submit(name, job)
        self._close_at_exit()

    def after_fork(self) -> None:
        """Begin anew in a forked child, which has nothing to close at its exit before it has started."""
        self._lock = threading.Lock()
        self._executor.renew()
        self._leave_exit()

    def _close_at_exit(self) -> None:
        if not self._closes_at_exit:
            self._closes_at_exit = True
            atexit.register(self._end_at_exit)

    def _leave_exit(self) -> None:
        self._closes_at_exit = False
        atexit.unregister(self._end_at_exit)

    def _end_at_exit(self) -> None:
        try:
            self._bus.close()
        except (KeyboardInterrupt, SystemExit):
            # A second signal: who sends it waits for nothing more. The interpreter would print it as an error.
            log.warning("told to end at once: what had not ended was given back")

    def _announce(self, event: BusStopped | BusClosed) -> None:
        try:
            self._bus.publish(event)
        except Exception:
            # The shutdown goes on, whatever a listener makes of the news.
            log.exception("a listener of %s failed", type(event).__name__)


def _require_outside(runs_here: bool, name: str) -> None:
    if runs_here:
        raise BusError(f"{name}() in a listener would wait for the listener's own end; call it outside of listeners")


def _renew_in_forked_child(bus: EventBus) -> None:
    """Have a fork leave the child with a bus of its own; the hook holds the bus weakly."""
    bus_ref = weakref.ref(bus)

    def renew() -> None:
        if (found := bus_ref()) is not None:
            found.after_fork()

    os.register_at_fork(after_in_child=renew)
