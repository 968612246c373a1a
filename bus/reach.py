"""Noticing that what is sent does not arrive: the broker is away, or nobody takes in what a module is sent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection

from bus.inbox.announcements import Announcements
from bus.outbox.flow import Flow
from bus.transport.base import Transport

log = logging.getLogger("bus")

#: Seconds for which a module may owe every acknowledgement before it counts as one without a worker.
SILENCE = 30.0


class Reach:
    """Whether this process reaches the modules that others work for; thread-safe. Each change is told once."""

    def __init__(
        self,
        transport: Transport,
        flow: Flow,
        targets: Collection[str],
        announcements: Announcements,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._flow = flow
        self._targets = targets
        self._announcements = announcements
        self._now = now
        self.renew()

    def renew(self) -> None:
        """Begin anew, also in a forked child."""
        self._lock = threading.Lock()
        self._is_away = False
        #: What each module owes an acknowledgement for, and since when it has given none.
        self._sent: dict[str, tuple[frozenset[str], float]] = {}
        self._unserved: frozenset[str] = frozenset()

    def unserved(self) -> list[str]:
        """Return the modules that count as having no worker, sorted."""
        return sorted(self._unserved)

    def look(self) -> None:
        """Look, and tell what has changed; cheap enough for each sweep."""
        if self._transport.is_local:
            return
        is_away = not self._transport.is_ready()
        with self._lock:
            has_changed, self._is_away = is_away is not self._is_away, is_away
            before, self._unserved = self._unserved, self._found(is_away=is_away)
            lost, found = sorted(self._unserved - before), sorted(before - self._unserved)
        if has_changed:
            self._announcements.reached(is_away=is_away)
        for target in lost:
            log.error("%s acknowledges nothing for %.0f s: has it a worker? What it is owed is kept", target, SILENCE)
            self._announcements.served(target, is_served=False)
        for target in found:
            log.warning("%s acknowledges again, or is owed nothing", target)
            self._announcements.served(target, is_served=True)

    def _found(self, *, is_away: bool) -> frozenset[str]:
        """Return the modules that have no worker, as far as a broker that is away lets one know."""
        now = self._now()
        for target in self._targets:
            sent, since = self._sent.pop(target, (frozenset[str](), now))
            left = frozenset(self._flow.ids_left(target))
            if left:
                is_silent = sent <= left and not is_away
                self._sent[target] = left, since if is_silent else now
        if is_away:
            return self._unserved & self._sent.keys()
        return frozenset(target for target, (_, since) in self._sent.items() if now - since >= SILENCE)
