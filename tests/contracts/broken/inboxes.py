from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select, update

from bus import Database
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.store import ListenerCounts, Outcome, Publication
from bus.inbox.views import Views
from bus.tables import bus_inbox
from bus.testing import FakeClock
from bus.testing.contracts import InboxStoreContract


class Forgetful(SqlAlchemyInboxStore):
    """Marks everybody who asks."""

    def mark(self, connection: Connection, publication: Publication) -> bool:
        super().mark(connection, publication)
        return True


class Trusting(SqlAlchemyInboxStore):
    """Starts whatever it is told to, for it looks at nothing but whether there is a row."""

    def start(self, connection: Connection, publication: Publication) -> bool:
        super().start(connection, publication)
        return True


class Committing(SqlAlchemyInboxStore):
    def start(self, connection: Connection, publication: Publication) -> bool:
        is_started = super().start(connection, publication)
        connection.commit()
        return is_started


class Lenient(SqlAlchemyInboxStore):
    """Completes what is not there."""

    def complete(self, connection: Connection, publication: Publication, took: int) -> None:
        mine = (bus_inbox.c.listener == publication.listener_id, bus_inbox.c.event_id == publication.envelope.id)
        done = {"state": "completed", "reason": None, "envelope": None, "took": took}
        connection.execute(update(bus_inbox).where(*mine).values(done))


class Unfenced(SqlAlchemyInboxStore):
    """Writes over what somebody else has recorded."""

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        if super().record(publication, outcome):
            return True
        mine = (bus_inbox.c.listener == publication.listener_id, bus_inbox.c.event_id == publication.envelope.id)
        changed = {"state": outcome.state, "reason": outcome.reason}
        with self._database.write() as connection:
            return connection.execute(update(bus_inbox).where(*mine).values(changed)).rowcount == 1


class Hurried(SqlAlchemyInboxStore):
    """Knows no waiting."""

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        return super().record(publication, replace(outcome, due_in=0))


class Generous(SqlAlchemyInboxStore):
    """Gives the same again and again."""

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        found = super().claim(listener_ids)
        with self._database.write() as connection:
            connection.execute(
                update(bus_inbox).where(bus_inbox.c.reason == "running").values(reason="failed", due_at=0)
            )
        return found


class Unmarking(SqlAlchemyInboxStore):
    """Returns the starts from before its own."""

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        found = super().claim(listener_ids)
        return None if found is None else replace(found, starts=found.starts - 1)


class Unsuspecting(SqlAlchemyInboxStore):
    """Never takes anybody for guilty."""

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        found = super().claim(listener_ids)
        return None if found is None else replace(found, is_suspect=False)

    def crashed(self, listener_ids: Collection[str], limit: int) -> list[Publication]:
        return [replace(found, is_suspect=False) for found in super().crashed(listener_ids, limit)]


class Blind(SqlAlchemyInboxStore):
    """Sees no crash, and nothing that is parked."""

    def crashed(self, listener_ids: Collection[str], limit: int) -> list[Publication]:
        return []

    def claim_parked(self, versions: Mapping[str, int], due_in: int) -> Publication | None:
        return None

    def has_due(self, listener_ids: Collection[str], event_names: Collection[str]) -> bool:
        return super().has_due(listener_ids, [])


class Overconfident(SqlAlchemyInboxStore):
    """Reads any version."""

    def claim_parked(self, versions: Mapping[str, int], due_in: int) -> Publication | None:
        return super().claim_parked(dict.fromkeys(versions, 99), due_in)


class Stubborn(SqlAlchemyInboxStore):
    """Takes a crash for a crash, whatever comes to light."""

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        with self._database.read() as session:
            found = session.scalar(select(bus_inbox.c.reason).where(bus_inbox.c.event_id == publication.envelope.id))
        return found != "crashed" and super().record(publication, outcome)


class Absentminded(SqlAlchemyInboxStore):
    """Serves the first listener alone."""

    def unpark(self, publication: Publication, listener_ids: Iterable[str]) -> None:
        super().unpark(publication, list(listener_ids)[:1])


class Muddled(SqlAlchemyInboxStore):
    """Counts everything, and in any order."""

    def retrying(self) -> int:
        return sum(found.open + found.completed + found.dead for found in self.counts())

    def counts(self) -> list[ListenerCounts]:
        return [replace(found, parked=0) for found in super().counts()[::-1]]


class Broken(InboxStoreContract):
    kind: type[SqlAlchemyInboxStore]
    breaks: tuple[str, ...]

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return self.kind(database, clock, Views(lambda _name: ()))


class TestForgetful(Broken):
    kind = Forgetful
    breaks = ("test_publication_is_marked_once", "test_one_of_many_threads_marks")


class TestTrusting(Broken):
    kind = Trusting
    breaks = (
        "test_marked_run_starts_with_its_mark_and_not_without",
        "test_run_does_not_start_when_somebody_else_has_taken_it_over",
        "test_completed_publication_is_not_started_again",
    )


class TestCommitting(Broken):
    kind = Committing
    breaks = ("test_run_that_was_rolled_back_may_be_started_again",)


class TestLenient(Broken):
    kind = Lenient
    breaks = (
        "test_completion_of_what_was_never_started_is_refused",
        "test_second_completion_is_refused",
        "test_completion_of_a_marked_run_without_its_start_is_refused",
    )


class TestUnfenced(Broken):
    kind = Unfenced
    breaks = (
        "test_late_failure_does_not_undo_what_was_completed_meanwhile",
        "test_late_failure_does_not_disturb_a_run_that_was_taken_over",
    )


class TestHurried(Broken):
    kind = Hurried
    breaks = (
        "test_failed_publication_is_due_when_its_time_has_come",
        "test_parked_event_is_not_taken_up_before_its_time",
    )


class TestGenerous(Broken):
    kind = Generous
    breaks = (
        "test_no_two_of_many_threads_claim_the_same_publication",
        "test_claimed_publication_is_not_claimed_again_however_long_it_runs",
    )


class TestUnmarking(Broken):
    kind = Unmarking
    breaks = ("test_claim_returns_event_and_counts_and_marks_the_start",)


class TestUnsuspecting(Broken):
    kind = Unsuspecting
    breaks = (
        "test_recorded_crash_makes_the_next_run_suspect",
        "test_crash_of_a_run_that_was_made_alone_is_its_own",
    )


class TestBlind(Broken):
    kind = Blind
    breaks = (
        "test_run_that_never_ends_counts_as_crashed_after_its_lease",
        "test_parked_event_is_taken_up_when_it_can_be_read",
        "test_something_is_due_when_a_run_is_due_has_crashed_or_a_parked_event_can_be_read",
    )


class TestOverconfident(Broken):
    kind = Overconfident
    breaks = ("test_parked_event_of_a_later_version_is_put_off",)


class TestStubborn(Broken):
    kind = Stubborn
    breaks = ("test_failure_of_a_run_that_passed_for_a_crash_is_recorded_in_its_place",)


class TestAbsentminded(Broken):
    kind = Absentminded
    breaks = ("test_unparked_event_is_due_for_each_listener_and_parked_no_longer",)


class TestMuddled(Broken):
    kind = Muddled
    breaks = (
        "test_retrying_counts_what_is_to_run_again",
        "test_counts_tell_parked_ones_apart",
        "test_counts_are_sorted_by_listener_and_tell_the_oldest_event_and_an_error",
    )
