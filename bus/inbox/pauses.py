"""Pauses: what is not run for a while, who said so, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PauseKind(StrEnum):
    """Who has paused."""

    #: A person, or a script of one.
    OPERATOR = "operator"
    #: The listener itself, because most of its runs failed.
    KILL_SWITCH = "kill_switch"


@dataclass(frozen=True, slots=True)
class Pause:
    """A listener, or a whole module, that is not run for a while; its publications wait in the inbox.

    Attributes:
        target: The listener's stored id, or the module's name.
        kind: Who has paused.
        reason: Why, in words.
        who: The person, or the listener itself.
        since: When it began, microseconds since the epoch.
        until: When it ends by itself; None: when somebody resumes it. For a kill switch: when it is probed.
        probes: Probes that have failed.
    """

    target: str
    kind: PauseKind
    reason: str
    who: str
    since: int
    until: int | None
    probes: int = 0


class PauseStore(Protocol):
    """The pauses in one module's database."""

    def all(self) -> list[Pause]:
        """Return the pauses that have not ended, sorted by target; takes no lock."""
        ...

    def set(self, pause: Pause) -> None:
        """Write a pause, in place of one that its target has, and commit.

        A kill switch does not replace the pause of an operator that has not ended.
        """
        ...

    def remove(self, target: str, kind: PauseKind | None = None) -> bool:
        """End a pause, of one kind or of any, and commit; False where there was none."""
        ...

    def take_probe(self, target: str, next_probe: int) -> bool:
        """Take the right to probe a kill-switch pause whose time is over, and commit; one taker gets True.

        Args:
            target: The listener.
            next_probe: When somebody else may probe, if this probe is never heard of again; microseconds.
        """
        ...
