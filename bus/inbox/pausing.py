"""What of a module this process leaves alone for now: its view of the pauses, and the kill switch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from bus.clock import Clock
from bus.inbox.announcements import Announcements
from bus.inbox.pauses import Pause, PauseKind, PauseStore
from bus.inbox.switch import RunRecord
from bus.retry import KillSwitch

log = logging.getLogger("bus")

#: Microseconds after which somebody else may probe, where a probe is never heard of again.
PROBE_LEASE = 30_000_000


class Pausing:
    """Says which listeners of one module run. It looks into the database when told to, and remembers in between."""

    def __init__(self, module: str, store: PauseStore, clock: Clock, announcements: Announcements) -> None:
        self._module = module
        self._store = store
        self._clock = clock
        self._announcements = announcements
        self._pauses: dict[str, Pause] = {}
        self.renew()

    def renew(self) -> None:
        """Forget whose runs failed: in a forked child the threads that may hold a lock do not exist."""
        self._runs = RunRecord()
        self._looking = threading.Lock()

    def refresh(self) -> None:
        """Take up what was paused and resumed since the last look, here or in another process."""
        # One look at a time: an older one that ends later would undo what a newer one has found.
        with self._looking:
            found = {pause.target: pause for pause in self._store.all()}
            before, self._pauses = self._pauses, found
        for target in found.keys() - before.keys():
            self._announcements.paused(found[target])
        for target in before.keys() - found.keys():
            self._announcements.resumed(target)

    def pause_of(self, listener_id: str) -> Pause | None:
        """Return the pause that keeps a listener from running: its own or its module's, else None."""
        now = self._clock.microseconds()
        for target in (self._module, listener_id):
            pause = self._pauses.get(target)
            if pause is not None and (pause.kind is PauseKind.KILL_SWITCH or not _is_over(pause, now)):
                return pause
        return None

    def running(self, listener_ids: Iterable[str]) -> list[str]:
        """Return which of these listeners run."""
        return [id for id in listener_ids if self.pause_of(id) is None]

    def is_stopped(self, listener_id: str) -> bool:
        """Say whether a listener has stopped itself: a run of it is a probe then."""
        pause = self.pause_of(listener_id)
        return pause is not None and pause.kind is PauseKind.KILL_SWITCH

    def to_be_probed(self, listener_ids: Iterable[str]) -> list[str]:
        """Return which of these listeners have stopped themselves for long enough to be tried again."""
        return [id for id in listener_ids if self._is_probe_due(id)]

    def take_probe(self, listener_id: str) -> bool:
        """Take the right to try a listener that has stopped itself; one taker among all processes gets it."""
        if not self._is_probe_due(listener_id):
            return False
        is_taken = self._store.take_probe(listener_id, self._clock.microseconds() + PROBE_LEASE)
        self.refresh()
        return is_taken

    def probe_ended(self, listener_id: str, *, has_failed: bool, switch: KillSwitch | None) -> None:
        """Resume a listener whose probe completed; pause it for twice as long after one that failed."""
        pause = self._pauses.get(listener_id)
        if pause is None or not has_failed or switch is None:
            if self._store.remove(listener_id, PauseKind.KILL_SWITCH):
                log.warning("listener %s runs again", listener_id)
        else:
            self._pause_for(listener_id, switch, pause.probes + 1, "its probe failed")
        self.refresh()

    def run_ended(self, listener_id: str, *, has_failed: bool, switch: KillSwitch | None) -> None:
        """Take in how a run ended, and pause the listener when most of its last runs failed."""
        if switch is None:
            return
        if self._runs.add(listener_id, self._clock.microseconds(), has_failed=has_failed, switch=switch):
            self._pause_for(listener_id, switch, 0, f"{switch.share:.0%} or more of its last {switch.runs} runs failed")
            self.refresh()

    def _pause_for(self, listener_id: str, switch: KillSwitch, probes: int, reason: str) -> None:
        seconds = min(switch.longest_pause, switch.pause * 2.0 ** min(probes, 30))
        now = self._clock.microseconds()
        until = now + int(seconds * 1_000_000)
        self._store.set(Pause(listener_id, PauseKind.KILL_SWITCH, reason, listener_id, now, until, probes))
        log.error("listener %s has paused itself for %g s: %s", listener_id, seconds, reason)

    def _is_probe_due(self, listener_id: str) -> bool:
        pause = self.pause_of(listener_id)
        return pause is not None and self.is_stopped(listener_id) and _is_over(pause, self._clock.microseconds())


def _is_over(pause: Pause, now: int) -> bool:
    return pause.until is not None and pause.until <= now
