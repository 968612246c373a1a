"""Recording a transaction's events: the history, what is owed to whom, and the hand-over after the commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bus.clock import Clock
from bus.envelope import Envelope
from bus.outbox.flow import Flow
from bus.outbox.sqlalchemy import FIRST_INTERVAL
from bus.outbox.store import OutboxStore, Owing
from bus.transaction import SqlAlchemyUnitOfWork
from bus.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class _HandOver:
    """A transaction's envelopes: those admitted, by target, and the targets for which they wait in the outbox."""

    recorder: OutboxRecorder
    envelopes: list[Envelope]
    admitted: dict[str, list[Envelope]]
    waiting: list[str]

    def committed(self) -> None:
        """Give the admitted envelopes to the transport, in the order in which they were published."""
        self.recorder.hand_over(self.envelopes, self.admitted, self.waiting)

    def rolled_back(self) -> None:
        """Give the places back."""
        self.recorder.give_up(self.admitted, self.waiting)


class OutboxRecorder:
    """Writes events and outbox rows into the publisher's transaction."""

    def __init__(
        self,
        stores: Mapping[str, OutboxStore],
        subscribers: Callable[[str], tuple[str, ...]],
        *,
        flow: Flow,
        clock: Clock,
        send: Callable[[str, Envelope], None],
        wake: Callable[[], None],
        announce: Callable[[Envelope], None],
    ) -> None:
        self._stores = stores
        self._subscribers = subscribers
        self._flow = flow
        self._clock = clock
        self._send = send
        self._wake = wake
        self._announce = announce

    def write(self, unit: UnitOfWork, envelopes: list[Envelope]) -> _HandOver:
        """Write one row for each event and one for each that is owed; commits nothing itself.

        A row whose envelope is handed over right after the commit is born due at the time of its second send,
        so that the hand-over needs no statement. The others are born due.
        """
        assert isinstance(unit, SqlAlchemyUnitOfWork)  # noqa: S101 - an assembled bus has no other units
        by_target = self._by_target(envelopes)
        admitted = {target: es for target, es in by_target.items() if self._flow.admit(target, [e.id for e in es])}
        now = self._clock.microseconds()
        owed = [
            Owing(target, envelope.id, now + FIRST_INTERVAL, 1)
            if target in admitted
            else Owing(target, envelope.id, now, 0)
            for target, some in by_target.items()
            for envelope in some
        ]
        hand_over = _HandOver(self, envelopes, admitted, [target for target in by_target if target not in admitted])
        try:
            self._stores[unit.name].add(unit.session.connection(), envelopes, owed)
        except BaseException:
            hand_over.rolled_back()
            raise
        return hand_over

    def hand_over(self, envelopes: list[Envelope], admitted: dict[str, list[Envelope]], waiting: list[str]) -> None:
        """Send what was admitted; a failure leaves it to the sweep."""
        for target, some in admitted.items():
            for envelope in self._flow.committed(target, some):
                self._send(target, envelope)
        self._settle(waiting)
        for envelope in envelopes:
            self._announce(envelope)

    def give_up(self, admitted: dict[str, list[Envelope]], waiting: list[str]) -> None:
        """Count envelopes of a transaction that did not commit no longer."""
        for target, some in admitted.items():
            self._flow.release(target, [envelope.id for envelope in some])
        self._settle(waiting)

    def _settle(self, waiting: list[str]) -> None:
        for target in waiting:
            self._flow.settle(target)
        if waiting:
            self._wake()

    def _by_target(self, envelopes: list[Envelope]) -> dict[str, list[Envelope]]:
        found: dict[str, list[Envelope]] = {}
        for envelope in envelopes:
            for target in self._subscribers(envelope.type):
                found.setdefault(target, []).append(envelope)
        return found
