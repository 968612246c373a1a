"""What the processes of a side do alike. It runs in a peer's environment, so it imports the standard library alone.

They say what they have done, and when, as lines of JSON; the clock is the machine's, the same for all.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

#: Seconds before each event on an idle system; at random, so that every moment between two polls is met.
PAUSE = (0.05, 0.25)

#: What an event and its rows say beside their id.
NOTE = "a note"


@dataclass(frozen=True, slots=True)
class Task:
    """What a process is asked for.

    Attributes:
        url: The database, as libpq reads it.
        warm_up: Events that do not count.
        events: Events that are published one after the other.
        singles: Events that are published on an idle system.
        setting: The one of the peer's settings that is varied, see its file; of the bus there is none.
    """

    url: str
    warm_up: int
    events: int
    singles: int
    setting: int = 0

    @property
    def halts(self) -> set[int]:
        """Numbers of effects at which the producer is told to go on."""
        return {self.warm_up, self.warm_up + self.events, self.warm_up + self.events + self.singles}


def say(**facts: object) -> None:
    # As one piece: one process may have two threads that have something to say.
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def produce(task: Task, publish: Callable[[str], object]) -> None:
    """Publish what is asked for; `publish` returns when its transaction is committed."""
    for _ in range(task.warm_up):
        publish(str(uuid.uuid4()))
    sys.stdin.readline()
    say(began=time.monotonic())
    for _ in range(task.events):
        publish(str(uuid.uuid4()))
    sys.stdin.readline()
    committed = {}
    for _ in range(task.singles):
        time.sleep(random.uniform(*PAUSE))
        order_id = str(uuid.uuid4())
        publish(order_id)
        committed[order_id] = time.monotonic()
    say(committed=committed)


class Effects:
    """Takes the time of every effect, right after its commit; thread-safe."""

    def __init__(self, task: Task) -> None:
        self._halts = task.halts
        self._times: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, order_id: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._times[order_id] = now
            if len(self._times) in self._halts:
                say(effects=self._times)
