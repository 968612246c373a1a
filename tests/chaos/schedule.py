"""When which fault happens: the same for the same seed, by how far the run has come, not by the clock."""

from __future__ import annotations

import random
from collections.abc import Mapping
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
    BROKER_KILL = "kill -9 of the broker, and its start on the same port with what it has on its disk"
    WIPE = "everything that the broker has is deleted"
    MOVE = "publishers who ran every listener themselves are ended, and begin anew with the broker"


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


#: The share of the run after which modules move.
HALF = 0.5


def schedule(seed: int, counts: Mapping[Kind, int]) -> list[Fault]:
    """Return so many faults of each kind, in their order."""
    source = random.Random(seed)
    kinds = [kind for kind in Kind for _ in range(counts.get(kind, 0))]
    faults = [_fault(kind, source) for kind in kinds]
    return sorted(faults, key=lambda fault: fault.share)


def _fault(kind: Kind, source: random.Random) -> Fault:
    share = source.uniform(FIRST, LAST)
    return Fault(HALF if kind is Kind.MOVE else share, kind, source.random(), source.random() < AIMED)
