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


class Way(Enum):
    """How fresh envelopes go from one module to another.

    Where places run out it becomes WAITING; a sweep that leaves nothing due makes it TURNING; and when the
    transactions that had been told to wait have ended and are swept up too, it is DIRECT again.
    """

    DIRECT = "fresh envelopes are sent right after their commit"
    TURNING = "fresh envelopes are held in memory until the outbox is swept empty"
    WAITING = "fresh envelopes wait in the outbox, behind older ones"


@dataclass(slots=True)
class _Lane:
    """From one module to another."""

    way: Way = Way.TURNING
    #: Admitted while the way was turning: they get places when it is direct, and keep none from older ones.
    promised: set[str] = field(default_factory=set)
    held: list[Envelope] = field(default_factory=list)
    #: Transactions that were told to wait and have not ended: their rows cannot be swept yet.
    unsettled: int = 0


@dataclass(slots=True)
class _Places:
    """What is on its way to one module, and places that a claim has asked for."""

    on_their_way: set[str] = field(default_factory=set)
    #: Those of them that no longer wait in this process.
    left: set[str] = field(default_factory=set)
    reserved: int = 0
    is_refused: bool = False


class Flow:
    """Admits envelopes, so that those of one module arrive at another in the order of their commits; thread-safe.

    Closed, it admits nothing: whatever is published waits in the outbox.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.renew()

    def renew(self) -> None:
        """Forget everything, closed: for a fresh start, and for a forked child."""
        # Reentrant: a held envelope that cannot be sent gives its place back at once.
        self._lock = threading.RLock()
        self._lanes: defaultdict[tuple[str, str], _Lane] = defaultdict(_Lane)
        self._places: defaultdict[str, _Places] = defaultdict(_Places)
        self._is_open = False
        self._admitted = 0

    @property
    def is_open(self) -> bool:
        """Whether anything is admitted."""
        return self._is_open

    @property
    def admitted(self) -> int:
        """Envelopes that ever asked to set out: who finds it unchanged knows that nothing was published in between."""
        return self._admitted

    def open(self) -> None:
        """Begin to admit. What is admitted before the first sweep is held behind what that finds."""
        with self._lock:
            self._is_open = True

    def close(self, send: Callable[[str, Envelope], None]) -> None:
        """Admit nothing more, and send what is held."""
        with self._lock:
            self._is_open = False
            for (_, target), lane in self._lanes.items():
                self._send_held(lane, target, send)

    def admit(self, source: str, target: str, event_ids: list[str]) -> bool:
        """Count a transaction's envelopes as on their way; False where they have to wait in the outbox.

        After False the transaction's end has to be told with `settle`.
        """
        with self._lock:
            lane, places = self._lanes[source, target], self._places[target]
            self._admitted += len(event_ids)
            free = self._free(places) if lane.way is Way.DIRECT else self._limit - len(lane.promised)
            if self._is_open and free < len(event_ids):
                lane.way = Way.WAITING
            if not self._is_open or lane.way is Way.WAITING:
                lane.unsettled += 1
                return False
            (places.on_their_way if lane.way is Way.DIRECT else lane.promised).update(event_ids)
            return True

    def settle(self, source: str, target: str) -> None:
        """Hear that a transaction that was told to wait has ended."""
        with self._lock:
            lane = self._lanes[source, target]
            # It may have begun before a fork or a restart, of which nothing is remembered.
            lane.unsettled = max(0, lane.unsettled - 1)

    def committed(self, source: str, target: str, envelopes: list[Envelope]) -> list[Envelope] | None:
        """Return which of a transaction's admitted envelopes are to be sent now.

        The others are held until older ones are on their way. None where it was closed since they were admitted: all
        of them are left to the outbox.
        """
        with self._lock:
            lane = self._lanes[source, target]
            if not self._is_open:
                self.release(target, [envelope.id for envelope in envelopes])
                return None
            if lane.way is Way.DIRECT:
                return envelopes
            lane.held += envelopes
            return []

    def reserve(self, target: str, most: int) -> int:
        """Keep places free for a claim and return how many; 0 until a claim of them is worth its trip.

        For a module that was refused it is one at most: whether that is taken decides about the others.
        """
        with self._lock:
            places = self._places[target]
            free = self._places_left(places)
            if places.is_refused:
                most = 1
            elif free < self._worth_a_claim:
                return 0
            places.reserved += min(most, free)
            return min(most, free)

    def take(self, target: str, reserved: int, event_ids: list[str]) -> None:
        """Count what a claim has found as on its way, in the places that were kept for it."""
        with self._lock:
            places = self._places[target]
            places.reserved -= reserved
            places.on_their_way.update(event_ids)
            self._admitted += len(event_ids)

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Count envelopes no longer: acknowledged, given up, or never committed."""
        gone = set(event_ids)
        with self._lock:
            places = self._places[target]
            places.on_their_way -= gone
            places.left -= gone
            for lane in self._lanes_to(target):
                lane.promised -= gone

    def leave(self, target: str, event_id: str) -> None:
        """Hear that an envelope waits in this process no longer: it is being run, or another process has it."""
        with self._lock:
            places = self._places[target]
            # Its acknowledgement may have been faster.
            if event_id in places.on_their_way:
                places.left.add(event_id)

    def ids_waiting(self, target: str) -> list[str]:
        """Return what waits in this process for a module: it is not lost, and needs no second send."""
        with self._lock:
            places = self._places[target]
            return sorted(
                (places.on_their_way - places.left).union(*(lane.promised for lane in self._lanes_to(target)))
            )

    def ids_left(self, target: str) -> list[str]:
        """Return what is on its way to a module and no longer waits here: it may be sent again, and needs no place."""
        with self._lock:
            return sorted(self._places[target].left)

    def refuse(self, target: str) -> bool:
        """Hear that the transport takes nothing for a module now; return whether that is news.

        What is published for it waits in the outbox, and each sweep tries it with one envelope.
        """
        with self._lock:
            places = self._places[target]
            is_news, places.is_refused = not places.is_refused, True
            return is_news

    def accept(self, target: str) -> bool:
        """Hear that the transport takes envelopes for a module; return whether that is news."""
        with self._lock:
            places = self._places[target]
            is_news, places.is_refused = places.is_refused, False
            return is_news

    def is_refused(self, target: str) -> bool:
        """Say whether the transport took nothing for a module when it was last tried."""
        places = self._places.get(target)
        return places is not None and places.is_refused

    def on_their_way(self) -> int:
        """Return how many envelopes are on their way to any module."""
        with self._lock:
            sent = sum(len(places.on_their_way) for places in self._places.values())
            return sent + sum(len(lane.promised) for lane in self._lanes.values())

    def begin_sweep(self, source: str, targets: Iterable[str]) -> set[str]:
        """Return the modules for which a sweep that begins now finds everything that fresh envelopes wait for."""
        with self._lock:
            lanes = {target: self._lanes[source, target] for target in targets}
            return {name for name, lane in lanes.items() if lane.way is Way.TURNING and not lane.unsettled}

    def swept(self, source: str, target: str, *, is_last: bool, send: Callable[[str, Envelope], None]) -> None:
        """Hear that a module owes nothing more to another that is due; `is_last` as `begin_sweep` said."""
        with self._lock:
            lane = self._lanes[source, target]
            if lane.way is Way.WAITING:
                lane.way = Way.TURNING
            elif lane.way is Way.TURNING and is_last and len(lane.promised) <= self._free(self._places[target]):
                self._send_held(lane, target, send)
                lane.way = Way.DIRECT

    def turning(self, source: str, targets: Iterable[str]) -> list[str]:
        """Return the modules whose way is not direct, and for which a sweep could change something now."""
        with self._lock:
            return [target for target in targets if self._can_turn(self._lanes[source, target], self._places[target])]

    def is_direct(self, source: str) -> bool:
        """Say whether nothing of a module waits or is held."""
        with self._lock:
            return all(lane.way is Way.DIRECT for (found, _), lane in self._lanes.items() if found == source)

    @property
    def _worth_a_claim(self) -> int:
        return max(1, self._limit // 4)

    def _places_left(self, places: _Places) -> int:
        return max(0, self._limit - len(places.on_their_way) - places.reserved)

    def _free(self, places: _Places) -> int:
        return 0 if places.is_refused else self._places_left(places)

    def _can_turn(self, lane: _Lane, places: _Places) -> bool:
        free = self._free(places)
        if lane.way is Way.DIRECT or not free:
            return False
        return free >= self._worth_a_claim or (lane.way is Way.TURNING and len(lane.promised) <= free)

    def _lanes_to(self, target: str) -> list[_Lane]:
        return [lane for (_, found), lane in self._lanes.items() if found == target]

    def _send_held(self, lane: _Lane, target: str, send: Callable[[str, Envelope], None]) -> None:
        self._places[target].on_their_way |= lane.promised
        held, lane.promised, lane.held = lane.held, set(), []
        for envelope in held:
            send(target, envelope)
