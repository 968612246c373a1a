"""Noticing that a writer who does not end keeps readers of the history from what was published since."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from bus.history.store import HistoryStore

log = logging.getLogger("bus")

#: Seconds for which committed events may be held back before somebody should look.
ALARM = 60.0

#: Seconds between two looks.
INTERVAL = 10.0


class HistoryWatch:
    """Looks after one module's history, and tells once when it is held back for long, and once when no longer.

    How long that is goes by this process's own time since it first saw the transaction: the clocks of publishers may
    differ from it.
    """

    def __init__(self, module: str, history: HistoryStore, *, now: Callable[[], float] = time.monotonic) -> None:
        self._module = module
        self._history = history
        self._now = now
        self._look_at = 0.0
        self._writer: int | None = None
        self._since = 0.0
        self._is_told = False

    def look(self) -> None:
        """Look, and tell what has changed; does nothing most of the time."""
        now = self._now()
        if now < self._look_at:
            return
        self._look_at = now + INTERVAL
        held = self._history.held_back()
        writer = None if held is None else held.writer
        if writer != self._writer:
            self._begin_anew(writer, now)
        elif writer is not None and now - self._since > ALARM and not self._is_told:
            self._is_told = True
            log.error(
                "readers of the history of %s have waited for %.0f s: a transaction on its server writes and does not "
                "end; pg_stat_activity names it (the oldest backend_xid)",
                self._module,
                now - self._since,
            )

    def _begin_anew(self, writer: int | None, now: float) -> None:
        """Take note that the transaction has ended that held readers back, or that one holds them back now."""
        self._writer, self._since = writer, now
        if self._is_told:
            self._is_told = False
            log.warning("readers of the history of %s wait no longer", self._module)
