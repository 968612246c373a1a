"""What one bus has to do at the end of one unit of work: record events, and run the transactional listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bus.context import Moment, resumed, this_moment
from bus.envelope import Envelope
from bus.errors import BusError, NoTransactionError, TooManyEventsError
from bus.listener import Listener, Phase
from bus.unit_of_work import UnitOfWork

log = logging.getLogger("bus")

#: Rounds of BEFORE_COMMIT listeners that publish for BEFORE_COMMIT listeners before it counts as a loop.
MAX_ROUNDS = 32

#: Rows of the bus that one unit of work may write, those of events and of what is owed: they are held in memory until
#: the commit, and on SQLite the module's one writer is busy with them.
MAX_ROWS = 10_000


class HandOver(Protocol):
    """What was written for a transaction's events, waiting for its end."""

    def committed(self) -> None:
        """Hand the envelopes over to the transport, in memory and without a query; raises nothing."""
        ...

    def rolled_back(self) -> None:
        """Give back what was reserved; raises nothing."""
        ...


class Recorder(Protocol):
    """Records published events durably in the unit of work that publishes them."""

    def write(self, unit: UnitOfWork, envelopes: list[Envelope]) -> HandOver:
        """Write the events and what is owed to each subscribed module; commits nothing itself."""
        ...

    def was_recorded(self, unit: UnitOfWork, envelope: Envelope) -> bool | None:
        """Say whether an event that the unit wrote is there; None where the database does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class _Recorded:
    envelope: Envelope
    rows: int


@dataclass(frozen=True, slots=True)
class _Deferred:
    event: Any
    listener: Listener
    moment: Moment


class PendingEvents:
    """The events that one bus was given in one unit of work. Lives in the thread that runs the unit."""

    def __init__(self, unit: UnitOfWork, recorder: Recorder | None, run: Callable[[Listener, object], None]) -> None:
        self._unit = unit
        self._run_listener = run
        self._recorder = recorder
        self._entries: list[_Recorded | _Deferred] = []
        self._rows = 0
        self._has_deferred = False
        self._before_commit_done = 0
        self._rounds = 0
        self._is_written = False
        self._hand_over: HandOver | None = None

    def record(self, envelope: Envelope, owed: int) -> None:
        """Keep a published event for the commit, which is owed to so many modules."""
        self._require_open()
        entry = _Recorded(envelope, rows=1 + owed)
        if self._rows + entry.rows > MAX_ROWS:
            raise TooManyEventsError(self._rows + entry.rows, MAX_ROWS)
        self._rows += entry.rows
        self._entries.append(entry)

    def defer(self, event: object, listener: Listener) -> None:
        """Keep a transactional listener for its phase."""
        self._require_open()
        self._has_deferred = True
        self._entries.append(_Deferred(event, listener, this_moment()))

    def mark(self) -> int:
        """Return how many entries there are."""
        return len(self._entries)

    def rewind(self, mark: int) -> None:
        """Drop the entries since the mark."""
        self._rows -= sum(entry.rows for entry in self._entries[mark:] if isinstance(entry, _Recorded))
        del self._entries[mark:]
        self._before_commit_done = min(self._before_commit_done, mark)

    def before_commit(self) -> bool:
        """Run the BEFORE_COMMIT listeners of the events that have come since the last call; False if there is none."""
        due = self._of_phase(Phase.BEFORE_COMMIT, since=self._before_commit_done)
        self._rounds += 1
        if due and self._rounds > MAX_ROUNDS:
            names = ", ".join(sorted({entry.listener.id for entry in due}))
            raise BusError(f"BEFORE_COMMIT listeners go on publishing for one another ({MAX_ROUNDS} rounds): {names}")
        self._before_commit_done = len(self._entries)
        for entry in due:
            self._run_entry(entry)
        return bool(due)

    def write(self) -> None:
        """Write the recorded events into the transaction; what is published from now on is refused."""
        self._is_written = True
        envelopes = self._envelopes()
        if envelopes and self._recorder is not None:
            self._hand_over = self._recorder.write(self._unit, envelopes)

    def after_commit(self) -> None:
        """Hand over what was committed, then run the AFTER_COMMIT and AFTER_COMPLETION listeners."""
        if self._hand_over is not None:
            self._hand_over.committed()
        self._run(Phase.AFTER_COMMIT)
        self._run(Phase.AFTER_COMPLETION)

    def after_rollback(self) -> None:
        """Run the AFTER_ROLLBACK and AFTER_COMPLETION listeners."""
        if self._hand_over is not None:
            self._hand_over.rolled_back()
        self._run(Phase.AFTER_ROLLBACK)
        self._run(Phase.AFTER_COMPLETION)

    def _require_open(self) -> None:
        if self._is_written:
            raise NoTransactionError(
                "this was published while its transaction was being committed, too late to be recorded with it; "
                "publish in the body of the transaction, or in a BEFORE_COMMIT listener"
            )

    def was_committed(self) -> bool | None:
        """Look the recorded events up; None where there are none, or the database does not answer."""
        envelopes = self._envelopes()
        if self._hand_over is None or self._recorder is None:
            return None
        return self._recorder.was_recorded(self._unit, envelopes[0])

    def after_unknown(self) -> None:
        """Run the AFTER_COMPLETION listeners only; what was recorded, if it was, is swept."""
        if self._hand_over is not None:
            self._hand_over.rolled_back()
        self._run(Phase.AFTER_COMPLETION)

    def _envelopes(self) -> list[Envelope]:
        return [entry.envelope for entry in self._entries if isinstance(entry, _Recorded)]

    def _run_entry(self, entry: _Deferred) -> None:
        with resumed(entry.moment):
            if entry.listener.accepts(entry.event):
                self._run_listener(entry.listener, entry.event)

    def _run(self, phase: Phase) -> None:
        for entry in self._of_phase(phase):
            try:
                self._run_entry(entry)
            except Exception:
                # The transaction has its outcome; a listener after it can no longer change it.
                log.exception("listener %s failed %s", entry.listener.id, phase.value)

    def _of_phase(self, phase: Phase, since: int = 0) -> list[_Deferred]:
        if not self._has_deferred:
            return []
        entries = self._entries[since:]
        found = [e for e in entries if isinstance(e, _Deferred) and e.listener.declaration.phase is phase]
        return sorted(found, key=lambda entry: entry.listener.declaration.order)
