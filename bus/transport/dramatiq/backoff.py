"""How long to leave something alone that is away."""

from __future__ import annotations

import random
from collections.abc import Callable

#: Seconds until it is asked again for the first time, doubled each time, and the longest.
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0


class Backoff:
    """The waits of one outage: each between half and the whole of a time that doubles, so that not all ask at once."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._whole = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether it has been away since the last reset."""
        return self._whole > 0

    def lengthen(self) -> None:
        """Note that it is away, or away still."""
        self._whole = min(LONGEST_WAIT, self._whole * 2 or FIRST_WAIT)

    def wait(self) -> float:
        """Return the seconds until it is to be asked again."""
        return self._uniform(self._whole / 2, self._whole)

    def reset(self) -> None:
        """Note that it has answered."""
        self._whole = 0.0
