"""Running something alone in the process: after a crash, so that innocents that ran beside it are not blamed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds for which one waits to be alone; meanwhile nothing else begins.
PATIENCE = 5.0


class Solitude:
    """Lets runs of all modules of a process go beside one another, or one of them alone; thread-safe."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self.renew()

    def renew(self) -> None:
        """Forget who runs: in a forked child those threads do not exist."""
        self._changed = threading.Condition()
        self._running = 0
        self._is_wanted = False

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Run a block beside others, once nobody is alone or waits to be."""
        with self._changed:
            while self._is_wanted:
                self._changed.wait()
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Run a block with nothing beside it; yields False where the others did not end in time.

        Then the block must not run what has to be alone: a long listener of another module is not waited for.
        """
        with self._changed:
            is_turn = self._changed.wait_for(lambda: not self._is_wanted, self._patience)
            if is_turn:
                self._is_wanted = True
                is_alone = self._changed.wait_for(lambda: not self._running, self._patience)
        if not is_turn:
            yield False
            return
        try:
            yield is_alone
        finally:
            with self._changed:
                self._is_wanted = False
                self._changed.notify_all()
