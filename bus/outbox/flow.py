"""Flow control: what this process has on its way to each module, and who has to wait."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from bus.envelope import Envelope

#: Unacknowledged envelopes that one process may have on their way to one module.
LIMIT = 1000


class Lane(Enum):
    """How fresh envelopes go to one module.

    A lane that is full becomes WAITING; a sweep that leaves nothing due makes it TURNING; and when the
    transactions that had been told to wait have ended and are swept up too, it is DIRECT again.
    """

    DIRECT = "fresh envelopes are sent right after their commit"
    TURNING = "fresh envelopes are held in memory until the outbox is swept empty"
    WAITING = "fresh envelopes wait in the outbox, behind older ones"


@dataclass(slots=True)
class _Target:
    lane: Lane = Lane.TURNING
    on_their_way: set[str] = field(default_factory=set)
    held: list[Envelope] = field(default_factory=list)
    #: Transactions that were told to wait and have not ended: their rows cannot be swept yet.
    unsettled: int = 0


class Flow:
    """Admits envelopes by target module, so that they arrive in the order of their commits; thread-safe.

    Closed, it admits nothing: whatever is published waits in the outbox.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.renew()

    def renew(self) -> None:
        """Forget everything, closed: for a fresh start, and for a forked child."""
        self._lock = threading.Lock()
        self._targets: defaultdict[str, _Target] = defaultdict(_Target)
        self._is_open = False
        self._admitted = 0

    def open(self) -> None:
        """Begin to admit. What is admitted before the first sweep is held behind what that finds."""
        with self._lock:
            for target in self._targets.values():
                target.lane = Lane.TURNING
            self._is_open = True

    def close(self, send: Callable[[str, Envelope], None]) -> None:
        """Admit nothing more, and send what is held."""
        with self._lock:
            self._is_open = False
            for name in list(self._targets):
                self._send_held(name, send)

    def admit(self, target: str, event_ids: list[str]) -> bool:
        """Count a transaction's envelopes as on their way; False where they have to wait in the outbox.

        After False the transaction's end has to be told with `settle`.
        """
        with self._lock:
            found = self._targets[target]
            if self._is_open and len(found.on_their_way) + len(event_ids) > self._limit:
                found.lane = Lane.WAITING
            if not self._is_open or found.lane is Lane.WAITING:
                found.unsettled += 1
                return False
            found.on_their_way.update(event_ids)
            self._admitted += len(event_ids)
            return True

    def settle(self, target: str) -> None:
        """Hear that a transaction that was told to wait has ended."""
        with self._lock:
            found = self._targets[target]
            # It may have begun before a fork or a restart, of which nothing is remembered.
            found.unsettled = max(0, found.unsettled - 1)

    def committed(self, target: str, envelopes: list[Envelope]) -> list[Envelope]:
        """Return which of a transaction's admitted envelopes are to be sent now.

        The others are held until older ones are on their way; closed, they are left to the outbox.
        """
        with self._lock:
            found = self._targets[target]
            if not self._is_open:
                found.on_their_way.difference_update(envelope.id for envelope in envelopes)
                return []
            if found.lane is Lane.DIRECT:
                return envelopes
            found.held += envelopes
            return []

    def take(self, target: str, event_id: str) -> bool:
        """Count one from the outbox as on its way; False when it is already."""
        with self._lock:
            on_their_way = self._targets[target].on_their_way
            is_new = event_id not in on_their_way
            on_their_way.add(event_id)
            self._admitted += is_new
            return is_new

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Count envelopes no longer: acknowledged, given up, or never committed."""
        with self._lock:
            self._targets[target].on_their_way.difference_update(event_ids)

    def free(self, target: str) -> int:
        """Return how many more envelopes may be on their way to a module; 0 until a claim of them is worth its trip."""
        with self._lock:
            places = self._limit - len(self._targets[target].on_their_way)
            return places if places >= max(1, self._limit // 4) else 0

    def begin_sweep(self, targets: Iterable[str]) -> set[str]:
        """Return the modules for which a sweep that begins now finds everything that fresh envelopes wait for."""
        with self._lock:
            found = {name: self._targets[name] for name in targets}
            return {name for name, target in found.items() if target.lane is Lane.TURNING and not target.unsettled}

    def swept(self, target: str, *, is_last: bool, send: Callable[[str, Envelope], None]) -> None:
        """Hear that nothing is due for a module any more; `is_last` as `begin_sweep` said."""
        with self._lock:
            found = self._targets[target]
            if found.lane is Lane.WAITING:
                found.lane = Lane.TURNING
            elif found.lane is Lane.TURNING and is_last:
                self._send_held(target, send)
                found.lane = Lane.DIRECT

    def is_direct(self) -> bool:
        """Say whether no module has envelopes that wait or are held."""
        with self._lock:
            return all(target.lane is Lane.DIRECT for target in self._targets.values())

    def on_their_way(self) -> int:
        """Return how many envelopes are on their way to any module."""
        with self._lock:
            return sum(len(target.on_their_way) for target in self._targets.values())

    @property
    def admitted(self) -> int:
        """Envelopes that ever set out: who finds it unchanged knows that nothing has set out in between."""
        return self._admitted

    def _send_held(self, target: str, send: Callable[[str, Envelope], None]) -> None:
        held, self._targets[target].held = self._targets[target].held, []
        for envelope in held:
            send(target, envelope)
