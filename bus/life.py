"""The life of a bus: the events that tell of it, and what runs beside the publishers' threads, as the core sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bus.status import ModuleStatus

if TYPE_CHECKING:
    from bus.bus import EventBus

#: Seconds that running listeners have to finish when the bus ends, unless somebody says otherwise.
GRACE = 20.0


@dataclass(frozen=True, slots=True)
class BusStarted:
    """The bus carries events now. What a listener raises reaches whoever started it; the bus runs all the same."""

    bus: EventBus


@dataclass(frozen=True, slots=True)
class BusStopped:
    """The bus carries nothing more, until it is started again. What a listener raises is logged."""

    bus: EventBus


@dataclass(frozen=True, slots=True)
class BusClosed:
    """The bus is about to end for good; it still carries events. What a listener raises is logged."""

    bus: EventBus


class Life(Protocol):
    """Carries recorded events to their listeners. Made stopped; starts once, and again in a forked child."""

    def start(self) -> bool:
        """Start if it does not run; cheap when it does. Return whether it did, to one caller alone."""
        ...

    def drain(self, timeout: float) -> None:
        """Return when nothing is owed; it runs already."""
        ...

    def stop(self, grace: float) -> bool:
        """Take nothing new, wait at most `grace` seconds for running listeners, release the rest.

        Return whether it ran, to one caller alone.
        """
        ...

    def runs_here(self) -> bool:
        """Say whether this thread is one of its own, which could only wait for its own end."""
        ...

    def is_ready(self) -> bool:
        """Say whether events can be carried now."""
        ...

    def where(self) -> str:
        """Say where events travel, in words for people."""
        ...

    def unserved(self) -> list[str]:
        """Return the modules that acknowledge nothing of what this process has sent them, sorted."""
        ...

    def status(self) -> list[ModuleStatus]:
        """Return what each hosted module owes and how its listeners fare."""
        ...


class NoLife:
    """The life of a bus without modules: nothing is recorded, so nothing is ever owed."""

    def __init__(self) -> None:
        #: The process in which it runs: a forked child starts its own.
        self._process: int | None = None

    def start(self) -> bool:
        """Only remember it."""
        process, self._process = self._process, os.getpid()
        return process != os.getpid()

    def drain(self, timeout: float) -> None:
        """Return at once."""

    def stop(self, grace: float) -> bool:
        """Only remember it."""
        process, self._process = self._process, None
        return process == os.getpid()

    def runs_here(self) -> bool:
        """Say no: it has no threads."""
        return False

    def is_ready(self) -> bool:
        """Say yes: there is nothing to carry."""
        return True

    def where(self) -> str:
        """Say that nothing travels."""
        return "nowhere"

    def unserved(self) -> list[str]:
        """Return no modules."""
        return []

    def status(self) -> list[ModuleStatus]:
        """Return no modules."""
        return []
