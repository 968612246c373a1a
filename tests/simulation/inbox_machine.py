"""An inbox store beside a plain model of it: after every step the rows are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import delete, select

from bus import Database, LostPublicationError
from bus.inbox.state import PARKED, UNENDED, Reason, State
from bus.inbox.store import NO_LISTENER, InboxStore, Outcome, Publication
from bus.tables import bus_attempt, bus_inbox
from bus.testing import FakeClock
from bus.testing.contracts.publications import BAKE, OPEN, TROUBLE
from bus.testing.contracts.samples import sample

#: Microseconds after which a start without an end counts as a crash.
LEASE = 10_000_000

LISTENERS = (OPEN, BAKE)
VERSIONS = {sample(0).type: sample(0).version}

numbers = st.integers(0, 2)
listeners = st.sampled_from(LISTENERS)
seconds_until_due = st.sampled_from((0, 5, 60))
some_listeners = st.lists(listeners, unique=True)


@dataclass(frozen=True, slots=True)
class Row:
    """How a listener fares with an event."""

    state: str
    reason: str | None
    starts: int
    failures: int
    crashes: int
    due_at: int

    @property
    def has_begun(self) -> bool:
        """Whether a run has begun, and has not ended as far as is known."""
        return self.reason in UNENDED

    @property
    def is_suspect(self) -> bool:
        """Whether the next run is made alone."""
        return self.reason == Reason.CRASHED or self.crashes > 0


class InboxMachine(RuleBasedStateMachine):
    """Marks, runs, records and claims in any order, also with what is outdated, while time passes."""

    #: What workers hold in their hands, some of it long after somebody else has gone on.
    held = Bundle("held")

    def __init__(self, database: Database, store: InboxStore, clock: FakeClock) -> None:
        super().__init__()
        self.database, self.store, self.clock = database, store, clock
        self.rows: dict[tuple[str, str], Row] = {}
        with database.write() as connection:
            connection.execute(delete(bus_inbox))
            connection.execute(delete(bus_attempt))

    @rule(target=held, number=numbers, listener_id=listeners)
    def arrive(self, number: int, listener_id: str) -> Publication:
        return Publication(listener_id, sample(number))

    @rule(target=held, found=held)
    def mark(self, found: Publication) -> Publication:
        is_new = _key(found) not in self.rows

        with self.database.engine.connect() as connection:
            assert self.store.mark(connection, found) is is_new

        if is_new:
            self.rows[_key(found)] = Row("retrying", Reason.RUNNING, 1, 0, 0, self.now + LEASE)
        return replace(found, starts=1)

    @rule(found=held, commits=st.booleans())
    def run(self, found: Publication, commits: bool) -> None:
        with self.database.engine.connect() as connection, connection.begin() as transaction:
            is_started = self.store.start(connection, found)
            assert is_started is self._may_start(found)
            if is_started and commits:
                self.store.complete(connection, found, took=5)
            else:
                transaction.rollback()
        if is_started and commits:
            row = self.rows.get(_key(found), Row("", None, 1, 0, 0, 0))
            self.rows[_key(found)] = replace(row, state="completed", reason=None, due_at=self.now)

    @rule(found=held)
    def complete_without_a_start(self, found: Publication) -> None:
        with self.database.engine.connect() as connection:
            try:
                self.store.complete(connection, found, took=5)
            except LostPublicationError:
                return
        raise AssertionError("what was never started was completed")

    @rule(found=held, reason=st.sampled_from((Reason.FAILED, Reason.BUSY, Reason.PAUSED)), seconds=seconds_until_due)
    def fail(self, found: Publication, reason: Reason, seconds: int) -> None:
        failures = found.failures + (reason is Reason.FAILED)
        self._record(found, Outcome(State.RETRYING, reason, seconds * 1_000_000, failures, found.crashes, TROUBLE))

    @rule(found=held)
    def give_up(self, found: Publication) -> None:
        self._record(found, Outcome(State.DEAD, Reason.FAILED, 0, found.failures + 1, found.crashes, TROUBLE))

    @rule(number=numbers)
    def park(self, number: int) -> None:
        found = Publication(NO_LISTENER, sample(number))
        self._record(found, Outcome(State.RETRYING, Reason.UNKNOWN_EVENT, 0, failures=0, crashes=0))

    @rule(target=held, ids=some_listeners)
    def claim(self, ids: list[str]) -> Publication | MultipleResults[Publication]:
        due = {key: row for key, row in self._due(ids).items() if not row.has_begun}

        found = self.store.claim(ids)

        assert (found is None) is (not due)
        if found is None:
            return multiple()
        row = due[_key(found)]
        assert row.due_at == min(other.due_at for other in due.values())
        self.rows[_key(found)] = replace(row, starts=row.starts + 1, reason=Reason.RUNNING, due_at=self.now + LEASE)
        assert found == replace(self._publication(_key(found), row), envelope=found.envelope, starts=row.starts + 1)
        return found

    @rule(found=held)
    def run_alone(self, found: Publication) -> None:
        row = self.rows.get(_key(found))
        may = row is not None and self._is_as_marked(found) and row.reason == Reason.RUNNING

        assert self.store.run_alone(found) is may

        if row is not None and may:
            self.rows[_key(found)] = replace(row, reason=Reason.RUNNING_ALONE)

    @rule(ids=some_listeners)
    def note_crashes(self, ids: list[str]) -> None:
        overdue = {key: row for key, row in self._due(ids).items() if row.has_begun}

        found = {_key(each): each for each in self.store.crashed(ids, 10)}

        assert found.keys() == overdue.keys()
        for key, each in found.items():
            assert each.is_suspect is (overdue[key].reason == Reason.RUNNING_ALONE)
            crashes = each.crashes + each.is_suspect
            self._record(each, Outcome(State.RETRYING, Reason.CRASHED, 0, each.failures, crashes, TROUBLE))

    @rule(ids=some_listeners)
    def take_up_parked(self, ids: list[str]) -> None:
        parked = self._due([NO_LISTENER])

        found = self.store.claim_parked(VERSIONS, 0)

        assert (found is None) is (not parked)
        if found is not None:
            self.store.unpark(found, ids)
            del self.rows[_key(found)]
            for id in ids:
                self.rows.setdefault((id, found.envelope.id), Row("retrying", Reason.REDELIVERED, 0, 0, 0, self.now))

    @rule(seconds=st.sampled_from((1, 5, 10, 3600)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        with self.database.read() as session:
            found = session.execute(select(bus_inbox)).all()
        assert {(row.listener, row.event_id): _row(row) for row in found} == self.rows

    @invariant()
    def questions_are_answered_as_by_the_model(self) -> None:
        open_rows = [row for row in self.rows.values() if row.state == "retrying"]
        assert self.store.retrying() == len(open_rows)
        assert self.store.has_due(LISTENERS, VERSIONS) is bool(self._due([*LISTENERS, NO_LISTENER]))
        counts = self.store.counts()
        assert sum(each.completed for each in counts) == sum(row.state == "completed" for row in self.rows.values())
        assert sum(each.dead for each in counts) == sum(row.state == "dead" for row in self.rows.values())
        assert sum(each.parked for each in counts) == sum(row.reason in PARKED for row in open_rows)

    @property
    def now(self) -> int:
        return self.clock.microseconds()

    def _record(self, found: Publication, outcome: Outcome) -> None:
        takes = self._takes(found, outcome)

        assert self.store.record(found, outcome) is takes

        if takes:
            starts = found.starts or int(outcome.was_run)
            due_at = self.now + outcome.due_in
            self.rows[_key(found)] = Row(
                outcome.state, outcome.reason, starts, outcome.failures, outcome.crashes, due_at
            )

    def _takes(self, found: Publication, outcome: Outcome) -> bool:
        if not found.starts:
            return _key(found) not in self.rows
        seen = UNENDED if outcome.reason == Reason.CRASHED else (*UNENDED, Reason.CRASHED)
        return self._is_as_marked(found) and self.rows[_key(found)].reason in seen

    def _may_start(self, found: Publication) -> bool:
        return self._is_as_marked(found) if found.starts else _key(found) not in self.rows

    def _is_as_marked(self, found: Publication) -> bool:
        row = self.rows.get(_key(found))
        return row is not None and row.state == "retrying" and row.starts == found.starts

    def _due(self, ids: list[str]) -> dict[tuple[str, str], Row]:
        return {
            key: row
            for key, row in self.rows.items()
            if key[0] in ids and row.state == "retrying" and row.due_at <= self.now
        }

    def _publication(self, key: tuple[str, str], row: Row) -> Publication:
        return Publication(key[0], sample(0), row.starts, row.failures, row.crashes, is_suspect=row.is_suspect)


def _key(found: Publication) -> tuple[str, str]:
    return found.listener_id, found.envelope.id


def _row(row: object) -> Row:
    return Row(*(getattr(row, name) for name in ("state", "reason", "starts", "failures", "crashes", "due_at")))
