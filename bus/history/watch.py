"""Noticing that a writer who does not end keeps readers of the history from what was published since."""

from __future__ import annotations

import logging
import time

from bus.history.store import HistoryStore

log = logging.getLogger("bus")

#: Seconds for which committed events may be held back before somebody should look.
ALARM = 60.0

#: Seconds between two looks.
INTERVAL = 10.0


class HistoryWatch:
    """Looks after one module's history, and tells once when it is held back for long, and once when no longer."""

    def __init__(self, module: str, history: HistoryStore) -> None:
        self._module = module
        self._history = history
        self._look_at = 0.0
        self._is_held = False

    def look(self) -> None:
        """Look, and tell what has changed; does nothing most of the time."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + INTERVAL
        held = self._history.held_back()
        seconds = 0.0 if held is None else held / 1e6
        if seconds > ALARM and not self._is_held:
            self._is_held = True
            log.error(
                "readers of the history of %s have waited for %.0f s: a transaction on its server writes and does not "
                "end; pg_stat_activity names it (the oldest backend_xid)",
                self._module,
                seconds,
            )
        elif held is None and self._is_held:
            self._is_held = False
            log.warning("readers of the history of %s wait no longer", self._module)
