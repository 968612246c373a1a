"""An outbox store beside a plain model of it: after every step the rows are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import delete, select

from bus import Database
from bus.outbox.store import OutboxStore, Owing
from bus.tables import bus_event, bus_outbox
from bus.testing import FakeClock
from bus.testing.contracts.samples import sample

#: Microseconds from a send to the next, doubled with each send before, and the longest such interval.
FIRST, LONGEST = 10_000_000, 3_600_000_000

TARGETS = ("kitchen", "bill")
IDS = tuple(sample(number).id for number in range(6))

modules = st.sampled_from(TARGETS)
some_ids = st.lists(st.sampled_from(IDS), unique=True)
limits = st.integers(1, 4)


@dataclass(frozen=True, slots=True)
class Row:
    """What is owed."""

    due_at: int
    sends: int


class OutboxMachine(RuleBasedStateMachine):
    """Adds, claims and acknowledges in any order, while time passes."""

    def __init__(self, database: Database, store: OutboxStore, clock: FakeClock) -> None:
        super().__init__()
        self.database, self.store, self.clock = database, store, clock
        self.rows: dict[tuple[str, str], Row] = {}
        self.history: list[str] = []
        with database.write() as connection:
            connection.execute(delete(bus_outbox))
            connection.execute(delete(bus_event))

    @rule(owed_to=st.sets(modules), seconds=st.sampled_from((0, 10)), commits=st.booleans())
    def publish(self, owed_to: set[str], seconds: int, commits: bool) -> None:
        if len(self.history) == len(IDS):
            return
        envelope = sample(len(self.history))
        owed = [Owing(target, envelope.id, seconds * 1_000_000, int(seconds > 0)) for target in sorted(owed_to)]
        with self.database.engine.connect() as connection, connection.begin() as transaction:
            self.store.add(connection, [envelope], owed)
            if not commits:
                transaction.rollback()
                return
        self.history.append(envelope.id)
        self.rows |= {(found.target, found.event_id): Row(self.now + found.due_in, found.sends) for found in owed}

    @rule(module=modules, limit=limits)
    def claim(self, module: str, limit: int) -> None:
        claimed = self.store.claim(module, limit)

        assert [(found.envelope.id, found.sends) for found in claimed] == self._taken(module, IDS, limit)

    @rule(module=modules, ids=some_ids, limit=limits)
    def claim_again(self, module: str, ids: list[str], limit: int) -> None:
        claimed = self.store.claim_again(module, ids, limit)

        assert [(found.envelope.id, found.sends) for found in claimed] == self._taken(module, ids, limit)

    @rule(module=modules, ids=some_ids)
    def postpone(self, module: str, ids: list[str]) -> None:
        self.store.postpone(module, ids)

        for key in self._due(module, ids):
            self.rows[key] = replace(self.rows[key], due_at=self.now + FIRST)

    @rule(module=modules, ids=some_ids)
    def release(self, module: str, ids: list[str]) -> None:
        # Only what was sent can be given back.
        sent = [id for id in ids if (module, id) not in self.rows or self.rows[module, id].sends]
        self.store.release(module, sent)

        for key in self._owed(module, sent):
            self.rows[key] = Row(self.now, self.rows[key].sends - 1)

    @rule(received=st.lists(st.tuples(modules, st.sampled_from(IDS))))
    def acknowledge(self, received: list[tuple[str, str]]) -> None:
        self.store.acknowledge(received)

        self.rows = {key: row for key, row in self.rows.items() if key not in received}

    @rule(seconds=st.sampled_from((1, 10, 20, 3600)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        with self.database.read() as session:
            found = {(row.target, row.event_id): Row(row.due_at, row.sends) for row in session.execute(_OUTBOX)}
            history = list(session.scalars(select(bus_event.c.id).order_by(bus_event.c.position)))
        assert found == self.rows
        assert history == self.history

    @invariant()
    def questions_are_answered_as_by_the_model(self) -> None:
        counts = {target: len(self._owed(target, IDS)) for target in TARGETS}
        assert self.store.due_targets(TARGETS) == [target for target in TARGETS if self._due(target, IDS)]
        assert {owed.target: owed.count for owed in self.store.owed()} == {k: n for k, n in counts.items() if n}

    @property
    def now(self) -> int:
        return self.clock.microseconds()

    def _owed(self, target: str, ids: Iterable[str]) -> list[tuple[str, str]]:
        return [(target, id) for id in ids if (target, id) in self.rows]

    def _due(self, target: str, ids: Iterable[str]) -> list[tuple[str, str]]:
        return [key for key in self._owed(target, ids) if self.rows[key].due_at <= self.now]

    def _taken(self, target: str, ids: Iterable[str], limit: int) -> list[tuple[str, int]]:
        """Take what is due longest, as a claim should, and return it in the order of the history."""
        oldest = sorted(self._due(target, ids), key=lambda key: (self.rows[key].due_at, key))[:limit]
        for key in oldest:
            sends = self.rows[key].sends
            self.rows[key] = Row(self.now + min(LONGEST, FIRST * 2**sends), sends + 1)
        return [(id, self.rows[target, id].sends) for id in self.history if (target, id) in oldest]


_OUTBOX = select(bus_outbox)
