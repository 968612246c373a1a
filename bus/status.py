"""What an operator sees of each hosted module: what it owes, and how its listeners fare."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds after which what is still owed counts as trouble.
LATE = 300.0


@dataclass(frozen=True, slots=True)
class Owed:
    """What a module's outbox still owes to one module.

    Attributes:
        target: The module that it is owed to.
        count: Events.
        oldest_seconds: Age of the oldest of them.
    """

    target: str
    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class PausedStatus:
    """A pause that has not ended.

    Attributes:
        target: The listener, or the module.
        kind: `operator`, or `kill_switch`: the listener itself, because most of its runs failed.
        who: Who paused it.
        reason: Why.
        seconds_left: Until it ends by itself, or is probed; None: it lasts until somebody resumes it.
    """

    target: str
    kind: str
    who: str
    reason: str
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """How the publications of one module listener fare.

    Attributes:
        id: The listener's stored id; `*` for events that no view of this build can read.
        completed: Publications whose effects are committed, as far as they are remembered.
        open: Publications that are not settled: retrying for any reason.
        retrying: Those of the open ones that failed or crashed, and are tried again.
        parked: Those of the open ones that wait for a build which can read them.
        dead: Publications that were given up, and not on purpose.
        oldest_seconds: Age of the oldest open one since its event was published; None where there is none.
        last_error: The last error among the retrying and dead ones, or None.
        paused: The pause of the listener or of its module, or None.
        known: Whether this build has the listener; without it its publications are orphans and wait.
    """

    id: str
    completed: int = 0
    open: int = 0
    retrying: int = 0
    parked: int = 0
    dead: int = 0
    oldest_seconds: float | None = None
    last_error: str | None = None
    paused: PausedStatus | None = None
    known: bool = True

    @property
    def is_degraded(self) -> bool:
        """Say whether somebody should look: it fails, has dead letters, cannot read, or has stopped itself."""
        is_orphaned = not self.known and self.open > 0
        has_stopped_itself = self.paused is not None and self.paused.kind == "kill_switch"
        return bool(self.retrying or self.parked or self.dead) or is_orphaned or has_stopped_itself


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module: its outbox by target, and its listeners.

    Attributes:
        module: The name.
        owed: What its outbox owes, by target.
        listeners: How its listeners fare, sorted by id.
        quarantined: Messages that reached it and were no envelope.
        held_back_seconds: For how long readers of its history wait for a transaction that does not end; None: they do
            not.
    """

    module: str
    owed: tuple[Owed, ...]
    listeners: tuple[ListenerStatus, ...]
    quarantined: int = 0
    held_back_seconds: float | None = None

    @property
    def is_degraded(self) -> bool:
        """Say whether a listener is in trouble, something is owed or held back for long, or is in quarantine."""
        is_late = any(owed.oldest_seconds > LATE for owed in self.owed) or (self.held_back_seconds or 0) > LATE
        return is_late or self.quarantined > 0 or any(listener.is_degraded for listener in self.listeners)
