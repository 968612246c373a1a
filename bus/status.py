"""What an operator sees of each hosted module: what it owes, and how its listeners fare."""

from __future__ import annotations

from dataclasses import dataclass


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
class ListenerStatus:
    """How the publications of one module listener fare.

    Attributes:
        id: The listener's stored id.
        completed: Publications whose effects are committed.
        retrying: Publications that failed, or whose run has not ended, and that are tried again.
        last_error: The last error among the retrying ones, or None.
        known: Whether this build has the listener.
    """

    id: str
    completed: int
    retrying: int
    last_error: str | None
    known: bool


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module: its outbox by target, and its listeners."""

    module: str
    owed: tuple[Owed, ...]
    listeners: tuple[ListenerStatus, ...]

    @property
    def is_degraded(self) -> bool:
        """Say whether anything of it is being tried again, or waits for a listener that this build lacks."""
        return any(listener.retrying for listener in self.listeners)
