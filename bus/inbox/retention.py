"""How long completed publications are remembered, and forgetting them after that."""

from __future__ import annotations

import time
from datetime import timedelta

from bus.clock import Clock
from bus.errors import RetentionError
from bus.inbox.dead_letters import DeadLetterStore
from bus.outbox.sqlalchemy import LONGEST_INTERVAL

#: For how long completed publications are remembered, unless an application says otherwise.
RETENTION = timedelta(days=30)

#: A send whose acknowledgement was lost is repeated after the longest interval; a process may miss that one too.
SHORTEST_RETENTION = 2 * timedelta(microseconds=LONGEST_INTERVAL)

#: What the clocks of two processes may be apart: one must not forget what another would still accept.
SKEW = timedelta(hours=1)

#: Publications that one transaction forgets, so that none holds a database for long, and such transactions in a row.
BATCH, BATCHES = 1000, 10

#: Seconds between two looks where nothing was left to forget.
INTERVAL = 60.0


def require_long_enough(retention: timedelta) -> None:
    """Refuse a retention within which an event may still be sent again.

    Raises:
        RetentionError: It is shorter than the longest redelivery span.
    """
    if retention < SHORTEST_RETENTION:
        raise RetentionError(
            f"a retention of {retention} is shorter than {SHORTEST_RETENTION}, the time within which an event may be "
            "sent again; its publication would be forgotten and run a second time"
        )


class Forgetter:
    """Forgets one module's completed publications when they are old enough, a little at each call."""

    def __init__(self, store: DeadLetterStore, clock: Clock, retention: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._age = (retention + SKEW) // timedelta(microseconds=1)
        self._look_at = 0.0

    def look(self) -> None:
        """Forget what is old enough, in transactions of at most 1,000 rows; does nothing most of the time."""
        if time.monotonic() < self._look_at:
            return
        before = self._clock.microseconds() - self._age
        is_full = all(self._store.forget(before, BATCH) == BATCH for _ in range(BATCHES))
        self._look_at = 0.0 if is_full else time.monotonic() + INTERVAL
