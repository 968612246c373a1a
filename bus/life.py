"""The life of what a bus runs beside the publishers' threads, as the core sees it."""

from __future__ import annotations

from typing import Protocol

from bus.status import ModuleStatus


class Life(Protocol):
    """Carries recorded events to their listeners. Made stopped; starts once, and again in a forked child."""

    def start(self) -> None:
        """Start if it does not run; cheap when it does."""
        ...

    def drain(self, timeout: float) -> None:
        """Start if need be, and return when nothing is owed."""
        ...

    def stop(self, grace: float) -> None:
        """Take nothing new, wait at most `grace` seconds for running listeners, release the rest."""
        ...

    def is_ready(self) -> bool:
        """Say whether events can be carried now."""
        ...

    def status(self) -> list[ModuleStatus]:
        """Return what each hosted module owes and how its listeners fare."""
        ...


class NoLife:
    """The life of a bus without modules: nothing is recorded, so nothing is ever owed."""

    def start(self) -> None:
        """Do nothing."""

    def drain(self, timeout: float) -> None:
        """Return at once."""

    def stop(self, grace: float) -> None:
        """Do nothing."""

    def is_ready(self) -> bool:
        """Say yes: there is nothing to carry."""
        return True

    def status(self) -> list[ModuleStatus]:
        """Return no modules."""
        return []
