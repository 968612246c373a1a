"""When a failed run is tried again."""

from __future__ import annotations

import random

#: Microseconds that the first retry waits at most, doubled by each further failure, and the longest wait.
FIRST_DELAY = 1_000_000
LONGEST_DELAY = 600_000_000


def delay_after(failures: int, source: random.Random) -> int:
    """Return the microseconds until the next run after so many failures.

    Exponential with full jitter: anything up to the doubled bound, so that what failed together does not come
    back together.
    """
    bound = min(LONGEST_DELAY, FIRST_DELAY << min(failures - 1, 20))
    return source.randint(0, bound)
