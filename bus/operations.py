"""What an operator asks of the modules that a process hosts, and what may be done about it.

The one place behind the command line and any console: it knows the modules' stores and no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bus.bus import EventBus
from bus.clock import Clock
from bus.database import Database
from bus.errors import BusError, RetentionError, UnknownTargetError
from bus.history.store import HistoryStore, RecordedEvent
from bus.inbox.dead_letters import (
    Attempt,
    DeadLetterGroup,
    DeadLetterStore,
    PublicationQuery,
    PublicationRecord,
)
from bus.inbox.pauses import Pause, PauseKind, PauseStore
from bus.inbox.quarantine import Quarantined, QuarantineStore
from bus.inbox.retention import BATCH, SKEW
from bus.reach import SILENCE
from bus.status import ModuleStatus
from bus.transport.base import Transport
from bus.words import duration_text


@dataclass(frozen=True, slots=True)
class OperatedModule:
    """What an operator works with of one hosted module.

    Attributes:
        database: Its database.
        history: What it has published.
        dead_letters: What it has heard, and how that fared.
        pauses: What of it is paused.
        quarantine: What reached it and was no envelope.
        listener_ids: The module listeners that this build has for it.
        refresh: Has the process take up at once what was changed in the database.
    """

    database: Database
    history: HistoryStore
    dead_letters: DeadLetterStore
    pauses: PauseStore
    quarantine: QuarantineStore
    listener_ids: Callable[[], tuple[str, ...]]
    refresh: Callable[[], None]


class Operations:
    """Looks into, and mends, the modules that this process hosts; nothing has to run for it.

    Every change is committed in the module's own database before the call returns, and other processes see it
    with their next sweep.

    Attributes:
        modules: The hosted modules by name.
        retention: For how long completed publications are remembered.
        transport: What carries events between modules.
    """

    def __init__(
        self, modules: Mapping[str, OperatedModule], clock: Clock, retention: timedelta, *, transport: Transport
    ) -> None:
        self.modules = modules
        self.retention = retention
        self.transport = transport
        self._clock = clock

    def unserved(self, modules: Iterable[ModuleStatus]) -> list[str]:
        """Return the modules that have been owed something for half a minute, and have no worker, sorted.

        Args:
            modules: What each hosted module owes.
        """
        late = {owed.target for found in modules for owed in found.owed if owed.oldest_seconds >= SILENCE}
        return sorted(target for target in late if self.transport.workers(target) == 0)

    def find(self, query: PublicationQuery, *, limit: int = 100) -> list[PublicationRecord]:
        """Return the newest publications that match, of all modules."""
        found = [record for parts in self.modules.values() for record in parts.dead_letters.find(query, limit=limit)]
        return sorted(found, key=lambda record: record.due_at, reverse=True)[:limit]

    def count(self, query: PublicationQuery) -> int:
        """Return how many publications match, in all modules."""
        return sum(parts.dead_letters.count(query) for parts in self.modules.values())

    def groups(self, query: PublicationQuery) -> list[DeadLetterGroup]:
        """Return them grouped by listener, reason, error and place, the largest group first."""
        found = [group for parts in self.modules.values() for group in parts.dead_letters.groups(query)]
        return sorted(found, key=lambda group: group.count, reverse=True)

    def attempts(self, record: PublicationRecord) -> list[Attempt]:
        """Return the history of one publication, oldest first."""
        return self.modules[record.module].dead_letters.attempts(record.listener_id, record.event_id)

    def redeliver(self, query: PublicationQuery, *, who: str) -> int:
        """Make the dead publications that match due now, as if they had never failed; return how many."""
        return sum(self._changed(name, parts.dead_letters.redeliver(query, who=who)) for name, parts in self._each())

    def discard(self, query: PublicationQuery, *, who: str, why: str) -> int:
        """Give the publications that match up for good; return how many."""
        return sum(parts.dead_letters.discard(query, who=who, why=why) for parts in self.modules.values())

    def pauses(self) -> list[Pause]:
        """Return what is paused now, sorted by target."""
        found = [pause for parts in self.modules.values() for pause in parts.pauses.all()]
        return sorted(found, key=lambda pause: pause.target)

    def pause(self, target: str, *, duration: timedelta | None, who: str, why: str) -> Pause:
        """Have a listener, or a whole module, not run until the time is over or somebody resumes it.

        Raises:
            UnknownTargetError: No hosted module or listener of one has this name.
            BusError: The duration is none.
        """
        if duration is not None and duration <= timedelta(0):
            raise BusError(f"a pause of {duration} would be over already; it takes a time longer than nothing, or None")
        module = self.module_of(target)
        now = self._clock.microseconds()
        until = None if duration is None else now + duration // timedelta(microseconds=1)
        pause = Pause(target, PauseKind.OPERATOR, why, who, now, until)
        self.modules[module].pauses.set(pause)
        self.modules[module].refresh()
        return pause

    def resume(self, target: str) -> bool:
        """End the pause of a listener or a module; False where there was none.

        Raises:
            UnknownTargetError: No hosted module or listener of one has this name.
        """
        module = self.module_of(target)
        was_paused = self.modules[module].pauses.remove(target)
        self.modules[module].refresh()
        return was_paused

    def module_of(self, target: str) -> str:
        """Return the hosted module that is, or has, the target.

        Raises:
            UnknownTargetError: There is none; the message lists what can be named.
        """
        if target in self.modules:
            return target
        for name, parts in self.modules.items():
            if target in parts.listener_ids() or any(pause.target == target for pause in parts.pauses.all()):
                return name
        ids = sorted(id for parts in self.modules.values() for id in parts.listener_ids())
        raise UnknownTargetError(target, [*self.modules, *ids])

    def forget(self, older_than: timedelta, *, dry_run: bool = False) -> int:
        """Delete completed and discarded publications that ended longer ago, in small transactions; return how many.

        An hour is added, for the clocks of other processes.

        Raises:
            RetentionError: Their events may still be sent again, and would then run a second time.
        """
        if older_than < self.retention:
            raise RetentionError(
                f"this application accepts events that were first sent up to {_words(self.retention)} ago, and has to "
                f"remember for as long what it has done with them; {_words(older_than)} is too short"
            )
        before = self._clock.microseconds() - (older_than + SKEW) // timedelta(microseconds=1)
        if dry_run:
            return sum(parts.dead_letters.forgettable(before) for parts in self.modules.values())
        return sum(_forget(parts.dead_letters, before) for parts in self.modules.values())

    def quarantined(self) -> list[tuple[str, Quarantined]]:
        """Return what reached each module and was no envelope, the newest first."""
        found = [(name, entry) for name, parts in self.modules.items() for entry in parts.quarantine.all()]
        return sorted(found, key=lambda pair: pair[1].last_at, reverse=True)

    def drop_quarantined(self, module: str, digest: str) -> bool:
        """Delete from a module's quarantine what has been dealt with; False where it was not there."""
        return self.modules[module].quarantine.remove(digest)

    def events(self, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return the last published events of all modules, oldest first."""
        found = [event for parts in self.modules.values() for event in parts.history.last(limit, name=name)]
        return sorted(found, key=lambda event: (event.envelope.time, event.envelope.id))[-limit:]

    def _each(self) -> list[tuple[str, OperatedModule]]:
        return sorted(self.modules.items())

    def _changed(self, module: str, count: int) -> int:
        if count:
            self.modules[module].refresh()
        return count


def operations_of(bus: EventBus) -> Operations:
    """Return what an operator asks of the modules of a bus.

    Raises:
        BusError: The bus hosts no modules.
    """
    found = getattr(bus.life, "operations", None)
    if not isinstance(found, Operations):
        raise BusError("this bus hosts no modules, so there is nothing to look into; make it with assemble(…)")
    return found


def _words(duration: timedelta) -> str:
    return duration_text(duration // timedelta(microseconds=1))


def _forget(store: DeadLetterStore, before: int) -> int:
    forgotten = 0
    while gone := store.forget(before, BATCH):
        forgotten += gone
    return forgotten
