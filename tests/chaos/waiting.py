"""For how long orders waited for what follows from them, once nothing befell the run any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ended:
    """A listener's run that completed.

    Attributes:
        number: The order that it follows from.
        at: When it ended, by the bus's clock in microseconds.
        way: How it came to its end, in words: one start and no crash says that the message came late.
    """

    number: int
    at: int
    way: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """When the bus's clock, in microseconds, told what.

    Attributes:
        placed: When each order was placed, by its number.
        ended: What followed.
    """

    placed: Mapping[int, int] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)

    def waits(self, fault: int, speed: int) -> Iterator[tuple[float, Ended]]:
        """Yield the machine's seconds that each run was waited for.

        They count from the last fault, or from the order's own placing where that was later: so they say how soon
        everything is whole again, and not how much there was still to be placed.
        """
        for ended in self.ended:
            if ended.number in self.placed:
                yield (ended.at - max(fault, self.placed[ended.number])) / speed / 1e6, ended


def longest_wait(times: Times, fault: int, speed: int) -> float:
    """Return the seconds that the last run of all was waited for."""
    return max(0.0, *(seconds for seconds, _ in times.waits(fault, speed)), 0.0)


def late(times: Times, fault: int, speed: int, prompt: float) -> list[str]:
    """Return what was waited for longer than that, the longest first."""
    found = sorted(((seconds, ended) for seconds, ended in times.waits(fault, speed) if seconds > prompt), key=_first)
    return [f"order {ended.number}: {ended.way}, done after {seconds:.1f} s" for seconds, ended in reversed(found)]


def _first(found: tuple[float, Ended]) -> float:
    return found[0]
