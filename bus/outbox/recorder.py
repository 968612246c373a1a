"""Recording a transaction's events: the history, what is owed to whom, and the hand-over after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from bus.database_errors import database_trouble, reason_of
from bus.envelope import Envelope
from bus.outbox.flow import Flow
from bus.outbox.sqlalchemy import FIRST_INTERVAL
from bus.outbox.store import OutboxStore, Owing
from bus.transaction import SqlAlchemyUnitOfWork
from bus.unit_of_work import UnitOfWork

log = logging.getLogger("bus")


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the recorder hands envelopes to, in memory.

    Attributes:
        send: Sends an admitted envelope from a module to a module; raises nothing but what ends the thread.
        wake: Has a module's outbox swept now.
        announce: Says that an event was committed.
        give_back: Makes what a module owes to a module due at once, as it is not sent from here; raises nothing.
    """

    send: Callable[[str, Envelope], None]
    wake: Callable[[str], None]
    announce: Callable[[Envelope], None]
    give_back: Callable[[str, str, list[str]], None]


class OutboxRecorder:
    """Writes events and outbox rows into the publisher's transaction."""

    def __init__(
        self,
        stores: Mapping[str, OutboxStore],
        subscribers: Callable[[str], tuple[str, ...]],
        *,
        flow: Flow,
        carrier: Carrier,
    ) -> None:
        self._stores = stores
        self._subscribers = subscribers
        self._flow = flow
        self._carrier = carrier

    def write(self, unit: UnitOfWork, envelopes: list[Envelope]) -> HandOver:
        """Write one row for each event and one for each that is owed; commits nothing itself.

        A row whose envelope is handed over right after the commit is born due at the time of its second send,
        so that the hand-over needs no statement. The others are born due.
        """
        sql_unit = cast(SqlAlchemyUnitOfWork, unit)  # an assembled bus has no other units
        by_target = self._by_target(envelopes)
        admitted = {
            target: some
            for target, some in by_target.items()
            if self._flow.admit(sql_unit.name, target, [envelope.id for envelope in some])
        }
        waiting = [target for target in by_target if target not in admitted]
        hand_over = HandOver(sql_unit.name, envelopes, admitted, waiting, self._flow, self._carrier)
        try:
            self._stores[sql_unit.name].add(sql_unit.connection, envelopes, self._owed(by_target, admitted))
        except BaseException:
            hand_over.rolled_back()
            raise
        return hand_over

    def was_recorded(self, unit: UnitOfWork, envelope: Envelope) -> bool | None:
        """Say whether an event that the unit wrote is there; None where the database does not answer."""
        try:
            return self._stores[cast(SqlAlchemyUnitOfWork, unit).name].has(envelope.id)
        except Exception as error:
            # Nobody can say then; the row, if there is one, comes due and is swept.
            trace = None if database_trouble(error) else error
            told = "nobody can say whether event %s was committed: %s"
            log.error(told, envelope.id, reason_of(error), exc_info=trace)
            return None

    def _owed(self, by_target: dict[str, list[Envelope]], admitted: dict[str, list[Envelope]]) -> list[Owing]:
        return [
            Owing(target, envelope.id, FIRST_INTERVAL if target in admitted else 0, int(target in admitted))
            for target, some in by_target.items()
            for envelope in some
        ]

    def _by_target(self, envelopes: list[Envelope]) -> dict[str, list[Envelope]]:
        found: dict[str, list[Envelope]] = {}
        for envelope in envelopes:
            for target in self._subscribers(envelope.type):
                found.setdefault(target, []).append(envelope)
        return found


@dataclass(frozen=True, slots=True)
class HandOver:
    """A transaction's envelopes: those admitted, by target, and the targets for which they wait in the outbox."""

    source: str
    envelopes: list[Envelope]
    admitted: dict[str, list[Envelope]]
    waiting: list[str]
    flow: Flow
    carrier: Carrier

    def committed(self) -> None:
        """Send what was admitted, in the order in which it was published."""
        unsent = {target: {envelope.id for envelope in some} for target, some in self.admitted.items()}
        try:
            for target, some in self.admitted.items():
                self._send(target, some, unsent[target])
        finally:
            # Also where the thread is told to end in the middle: whatever was not sent gives its place back.
            self._settle(unsent)
        for envelope in self.envelopes:
            self.carrier.announce(envelope)

    def rolled_back(self) -> None:
        """Give the places back."""
        self._settle({target: {envelope.id for envelope in some} for target, some in self.admitted.items()})

    def _send(self, target: str, envelopes: list[Envelope], unsent: set[str]) -> None:
        ready = self.flow.committed(self.source, target, envelopes)
        if ready is None:
            # The bus was stopped in between, and another process need not wait for the time of their second send.
            self.carrier.give_back(self.source, target, [envelope.id for envelope in envelopes])
            return
        unsent.intersection_update({envelope.id for envelope in ready})
        for envelope in ready:
            self.carrier.send(target, envelope)
            unsent.discard(envelope.id)

    def _settle(self, unsent: Mapping[str, set[str]]) -> None:
        for target, event_ids in unsent.items():
            if event_ids:
                self.flow.release(target, event_ids)
        for target in self.waiting:
            self.flow.settle(self.source, target)
        if self.waiting:
            self.carrier.wake(self.source)
