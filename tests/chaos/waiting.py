"""For how long orders waited for what follows from them, once nothing befell the run any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Times:
    """When the bus's clock told what, in its microseconds, by the numbers of the orders.

    Attributes:
        placed: When each was placed.
        done: When the last of what follows from it was done.
    """

    placed: Mapping[int, int] = field(default_factory=dict)
    done: Mapping[int, int] = field(default_factory=dict)


def longest_wait(times: Times, fault: int, speed: int) -> float:
    """Return the machine's seconds that the last of all orders waited for its end.

    They count from the last fault, or from the order's own placing where that was later: so they say how soon the
    run is whole again, and not how much there was still to be placed.
    """
    waits = [done - max(fault, times.placed[number]) for number, done in times.done.items() if number in times.placed]
    return max(0, *waits, 0) / speed / 1e6
