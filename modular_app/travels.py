"""Where events travel, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from bus.life import Life


@dataclass(frozen=True, slots=True)
class Travels:
    """Where events travel.

    Attributes:
        where: In which processes, in words.
        trouble: What keeps them from arriving; empty where nothing does.
    """

    where: str
    trouble: str


def travels_of(life: Life) -> Travels:
    """Return where events travel now."""
    if not life.is_ready():
        return Travels(life.where(), "does not answer")
    unserved = life.unserved()
    return Travels(life.where(), f"no worker for {', '.join(unserved)}" if unserved else "")
