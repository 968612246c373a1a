"""Courtesy: listeners of other modules' events give way to the requests that the same process is answering.

They share one interpreter and, on SQLite, each module's one writer: without it, the more a process has to catch up
with, the slower it answers. What was published stays recorded, and is caught up with when there is less to answer.
"""

from __future__ import annotations

import threading
import time

#: Seconds after its beginning in which a request is given way to: one that takes longer waits for something else.
REQUEST = 0.02

#: Seconds that one run gives way at most, so that listeners go on under any load: five runs a second and worker.
LONGEST = 0.2


class Courtesy:
    """Knows of the requests that are being answered in this process; thread-safe.

    Args:
        request: Seconds after its beginning in which a request is given way to.
        longest: Seconds that one run gives way at most.
    """

    def __init__(self, request: float = REQUEST, longest: float = LONGEST) -> None:
        self._request = request
        self._longest = longest
        self.renew()

    def renew(self) -> None:
        """Forget every request: in a forked child their threads do not exist."""
        self._changed = threading.Condition()
        self._requests = 0
        self._until = 0.0

    @property
    def requests(self) -> int:
        """How many requests are being answered."""
        return self._requests

    def begin(self) -> None:
        """Hear that a request begins."""
        with self._changed:
            self._requests += 1
            self._until = time.monotonic() + self._request

    def end(self) -> None:
        """Hear that a request has ended."""
        with self._changed:
            # A fork in the middle of a request leaves the child with its end only.
            self._requests = max(0, self._requests - 1)
            if not self._requests:
                self._changed.notify_all()

    def give_way(self) -> None:
        """Return when no request has begun for a moment without having ended, or after the longest wait."""
        deadline = time.monotonic() + self._longest
        with self._changed:
            while self._requests and (left := min(self._until, deadline) - time.monotonic()) > 0:
                self._changed.wait(left)
