"""When which fault happens: the same for the same seed, by how far the run has come, not by the clock."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

#: Shares of the run between which faults happen: what a killed process held comes due while there is load still.
FIRST, LAST = 0.02, 0.66

#: Of the kills, the share that waits for the moment when a listener runs; the others come at any moment.
AIMED = 0.5


class Kind(Enum):
    """What is done to a run."""

    KILL = "kill -9 of a process"
    STOP = "SIGSTOP of a process, past the time when what it holds is due"
    RESTART = "immediate restart of the database's server"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        share: How much of the run is done when it happens, from 0 to 1.
        kind: What is done.
        chance: Chooses the victim, from 0 to 1.
        is_aimed: Whether a kill waits for the moment when a listener runs.
    """

    share: float
    kind: Kind
    chance: float
    is_aimed: bool = False


def schedule(seed: int, *, kills: int, stops: int, restarts: int) -> list[Fault]:
    """Return so many faults of each kind, in their order."""
    source = random.Random(seed)
    kinds = [Kind.KILL] * kills + [Kind.STOP] * stops + [Kind.RESTART] * restarts
    faults = [Fault(source.uniform(FIRST, LAST), kind, source.random(), source.random() < AIMED) for kind in kinds]
    return sorted(faults, key=lambda fault: fault.share)
