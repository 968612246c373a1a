from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, literal, update

from bus import Database
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.history.store import Place, RecordedEvent
from bus.inbox.dead_letters import Attempt, PublicationQuery, PublicationRecord
from bus.inbox.pauses import Pause, PauseKind
from bus.inbox.quarantine import Quarantined
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
from bus.inbox.state import Reason, State
from bus.inbox.views import Views
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.tables import bus_inbox
from bus.testing import FakeClock
from bus.testing.contracts import (
    DeadLetterStoreContract,
    HistoryStoreContract,
    PauseStoreContract,
    QuarantineStoreContract,
)


class Vague(SqlAlchemyDeadLetterStore):
    """Knows listener and reason alone, begins with the oldest, and ends where `until` is."""

    def find(self, query: PublicationQuery, *, limit: int) -> list[PublicationRecord]:
        asked = PublicationQuery(
            query.state,
            query.listener,
            reason=query.reason,
            since=query.since,
            until=None if query.until is None else query.until + 1,
        )
        return super().find(asked, limit=1000)[::-1][:limit]


class Reviving(SqlAlchemyDeadLetterStore):
    """Runs again whatever is there, with its failures, and tells nobody."""

    def redeliver(self, query: PublicationQuery, *, who: str) -> int:
        due = {"state": State.RETRYING, "reason": Reason.REDELIVERED, "due_at": 0}
        with self._database.write() as connection:
            return connection.execute(update(bus_inbox).values(due)).rowcount


class Ruthless(SqlAlchemyDeadLetterStore):
    """Discards what runs and what is done, and forgets everything that is old."""

    def discard(self, query: PublicationQuery, *, who: str, why: str) -> int:
        gone = {"state": State.DEAD, "reason": Reason.DISCARDED}
        with self._database.write() as connection:
            return connection.execute(update(bus_inbox).values(gone)).rowcount

    def forget(self, before: int, limit: int) -> int:
        with self._database.write() as connection:
            return connection.execute(delete(bus_inbox).where(bus_inbox.c.due_at < before)).rowcount


class Backwards(SqlAlchemyDeadLetterStore):
    def attempts(self, listener_id: str, event_id: str) -> list[Attempt]:
        return super().attempts(listener_id, event_id)[::-1]


class Broken(DeadLetterStoreContract):
    kind: type[SqlAlchemyDeadLetterStore]
    breaks: tuple[str, ...]

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyDeadLetterStore:
        return self.kind(database, clock)

    @pytest.fixture
    def inbox(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return SqlAlchemyInboxStore(database, clock, Views(lambda _name: ()))


class TestVague(Broken):
    kind = Vague
    breaks = (
        "test_every_part_of_a_query_has_to_hold",
        "test_since_includes_its_moment_and_until_does_not",
        "test_newest_are_found_first_up_to_the_limit",
    )


class TestReviving(Broken):
    kind = Reviving
    breaks = (
        "test_redelivered_publication_is_due_now_as_if_it_had_never_failed",
        "test_redelivery_stands_in_the_history_with_who_asked_for_it",
        "test_nothing_but_dead_ones_that_match_is_redelivered",
    )


class TestRuthless(Broken):
    kind = Ruthless
    breaks = (
        "test_publication_that_is_being_run_is_not_discarded",
        "test_completed_publication_is_not_discarded",
        "test_completed_and_discarded_ones_that_ended_before_are_forgotten",
        "test_no_more_are_forgotten_than_the_limit",
    )


class TestBackwards(Broken):
    kind = Backwards
    breaks = ("test_attempts_are_told_oldest_first",)


class Endless(SqlAlchemyPauseStore):
    """Its pauses end when they are removed, and are probed whenever anybody asks."""

    def all(self) -> list[Pause]:
        here = self._now
        self._now = literal(FakeClock().microseconds())
        found = super().all()[::-1]
        self._now = here
        return found

    def take_probe(self, target: str, next_probe: int) -> bool:
        return any(pause.target == target for pause in self.all())


class Imperious(SqlAlchemyPauseStore):
    """A kill switch has the last word."""

    def set(self, pause: Pause) -> None:
        super().remove(pause.target)
        super().set(pause)

    def remove(self, target: str, kind: PauseKind | None = None) -> bool:
        return super().remove(target)


class TestEndless(PauseStoreContract):
    breaks = (
        "test_pauses_are_sorted_by_target",
        "test_pause_ends_by_itself_when_its_time_is_over",
        "test_probe_is_taken_when_the_time_is_over",
        "test_one_of_many_threads_takes_the_probe",
        "test_pause_of_an_operator_is_not_probed",
    )

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyPauseStore:
        return Endless(database, clock)


class TestImperious(PauseStoreContract):
    breaks = ("test_kill_switch_leaves_the_pause_of_an_operator", "test_pause_of_another_kind_is_not_removed")

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyPauseStore:
        return Imperious(database, clock)


class Sloppy(SqlAlchemyQuarantineStore):
    """Knows bytes by their beginning, keeps a little less, and shows the oldest first."""

    def add(self, data: bytes, *, origin: str, problem: str) -> str:
        return super().add(data[:1000], origin=origin, problem=problem)

    def all(self) -> list[Quarantined]:
        return [replace(found, times=1) for found in super().all()[::-1]]


class TestSloppy(QuarantineStoreContract):
    breaks = (
        "test_beginning_of_much_is_kept_with_its_whole_size",
        "test_bytes_that_differ_beyond_what_is_kept_are_not_the_same",
        "test_same_bytes_are_kept_once_and_counted",
        "test_newest_stands_first",
    )

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyQuarantineStore:
        return Sloppy(database, clock)


class Reversed(SqlAlchemyHistoryStore):
    """Tells the newest first, and who never owed anything."""

    def last(self, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        return [replace(found, owed_to=()) for found in super().last(limit, name=name)[::-1]]

    def following(self, place: Place, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        return super().following(Place(place.transaction, place.position - 1), limit)

    def beginning_with(self, id_prefix: str, limit: int) -> list[RecordedEvent]:
        return [found for found in super().last(1000) if id_prefix in found.envelope.correlationid + found.envelope.id]


class TestReversed(HistoryStoreContract):
    breaks = (
        "test_last_events_are_told_oldest_first_up_to_the_limit",
        "test_event_tells_who_has_not_acknowledged_it",
        "test_events_that_follow_a_place_are_told_oldest_first",
        "test_events_of_one_name_that_follow_a_place",
        "test_story_is_found_by_the_beginning_of_its_own_id",
        "test_each_story_is_found_once_up_to_the_limit",
    )

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyHistoryStore:
        return Reversed(database, clock)

    @pytest.fixture
    def outbox(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)
