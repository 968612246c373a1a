from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pytest
from sqlalchemy import Connection, delete, update

from bus import Database, Envelope
from bus.outbox.sqlalchemy import FIRST_INTERVAL, SqlAlchemyOutboxStore
from bus.outbox.store import Claimed, Owing
from bus.status import Owed
from bus.tables import bus_event, bus_outbox
from bus.testing import FakeClock
from bus.testing.contracts import OutboxStoreContract


class Committing(SqlAlchemyOutboxStore):
    def add(self, connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        super().add(connection, envelopes, owed)
        connection.commit()


class Forgetful(SqlAlchemyOutboxStore):
    """Keeps no history of what nobody listens to."""

    def add(self, connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        if owed:
            super().add(connection, envelopes, owed)


class Generous(SqlAlchemyOutboxStore):
    """Gives the same twice."""

    def claim(self, target: str, limit: int) -> list[Claimed]:
        claimed = super().claim(target, limit)
        self.release(target, [found.envelope.id for found in claimed])
        return claimed


class Greedy(SqlAlchemyOutboxStore):
    def claim(self, target: str, limit: int) -> list[Claimed]:
        return super().claim(target, limit + 1)

    def claim_again(self, target: str, event_ids: Collection[str], limit: int) -> list[Claimed]:
        return self.claim(target, limit)


class Hasty(SqlAlchemyOutboxStore):
    """Begins with the newest, and turns the history round."""

    def claim(self, target: str, limit: int) -> list[Claimed]:
        everything = super().claim(target, 1000)[::-1]
        self.release(target, [found.envelope.id for found in everything[limit:]])
        return everything[:limit]


class Indiscriminate(SqlAlchemyOutboxStore):
    def claim(self, target: str, limit: int) -> list[Claimed]:
        return [found for each in ("kitchen", "bill") for found in super(Indiscriminate, self).claim(each, limit)]


class Insistent(SqlAlchemyOutboxStore):
    """Sends again after the same interval for ever."""

    def claim(self, target: str, limit: int) -> list[Claimed]:
        claimed = super().claim(target, limit)
        due_at = self._now + FIRST_INTERVAL
        with self._database.write() as connection:
            connection.execute(update(bus_outbox).where(bus_outbox.c.sends > 1).values(due_at=due_at))
        return claimed


class Suspicious(SqlAlchemyOutboxStore):
    """Takes everybody for due."""

    def due_targets(self, among: Iterable[str]) -> list[str]:
        return list(among)


class Slipshod(SqlAlchemyOutboxStore):
    """Forgets the last acknowledgement."""

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        super().acknowledge(list(received)[:-1])


class Strict(SqlAlchemyOutboxStore):
    """Wants everything to be acknowledged once."""

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        with self._database.write() as connection:
            for target, id in received:
                mine = (bus_outbox.c.target == target, bus_outbox.c.event_id == id)
                assert connection.execute(delete(bus_outbox).where(*mine)).rowcount == 1


class Sweeping(SqlAlchemyOutboxStore):
    """Deletes what is owed to anybody, and the event too."""

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        ids = [id for _, id in received]
        with self._database.write() as connection:
            connection.execute(delete(bus_outbox).where(bus_outbox.c.event_id.in_(ids)))
            connection.execute(delete(bus_event).where(bus_event.c.id.in_(ids)))


class Counting(SqlAlchemyOutboxStore):
    """Counts sends that did not happen."""

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        ids = list(event_ids)
        super().release(target, ids)
        with self._database.write() as connection:
            mine = bus_outbox.c.event_id.in_(ids)
            connection.execute(update(bus_outbox).where(mine).values(sends=bus_outbox.c.sends + 1))


class Loose(SqlAlchemyOutboxStore):
    """Releases and postpones everything of a module."""

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        now = self._now
        with self._database.write() as connection:
            connection.execute(update(bus_outbox).where(bus_outbox.c.target == target).values(due_at=now))

    def postpone(self, target: str, event_ids: Collection[str]) -> None:
        later = self._now + FIRST_INTERVAL
        with self._database.write() as connection:
            connection.execute(update(bus_outbox).where(bus_outbox.c.target == target).values(due_at=later))


class Unmoved(SqlAlchemyOutboxStore):
    """Gives no more time."""

    def postpone(self, target: str, event_ids: Collection[str]) -> None: ...


class Careless(SqlAlchemyOutboxStore):
    def owed(self) -> list[Owed]:
        return [Owed(found.target, 1, 0.0) for found in super().owed()[::-1]]


class Clinging(SqlAlchemyOutboxStore):
    """Takes every event for owed."""

    def still_owed(self, target: str, event_ids: Collection[str]) -> set[str]:
        return set(event_ids)


class Broken(OutboxStoreContract):
    kind: type[SqlAlchemyOutboxStore]
    breaks: tuple[str, ...]

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return self.kind(database, clock)


class TestCommitting(Broken):
    kind = Committing
    breaks = (
        "test_what_is_added_is_gone_when_the_transaction_rolls_back",
        "test_nobody_sees_what_is_added_before_the_commit_and_asking_does_not_wait",
    )


class TestForgetful(Broken):
    kind = Forgetful
    breaks = ("test_event_that_is_owed_to_nobody_stands_in_the_history",)


class TestGenerous(Broken):
    kind = Generous
    breaks = (
        "test_claimed_envelope_is_not_claimed_again_before_it_is_due_again",
        "test_no_two_of_many_threads_claim_the_same_envelope",
    )


class TestGreedy(Broken):
    kind = Greedy
    breaks = (
        "test_claim_takes_no_more_than_its_limit",
        "test_what_was_sent_and_is_due_again_is_claimed_by_its_id",
        "test_claim_by_id_takes_no_more_than_its_limit_and_leaves_other_modules",
    )


class TestHasty(Broken):
    kind = Hasty
    breaks = ("test_claim_takes_the_oldest_first", "test_claim_keeps_the_order_of_the_history")


class TestIndiscriminate(Broken):
    kind = Indiscriminate
    breaks = ("test_claim_leaves_what_is_owed_to_another_module",)


class TestInsistent(Broken):
    kind = Insistent
    breaks = ("test_interval_until_the_next_send_doubles_with_each_send",)


class TestSuspicious(Broken):
    kind = Suspicious
    breaks = ("test_due_targets_are_the_modules_among_those_asked_for_to_which_something_is_due",)


class TestSlipshod(Broken):
    kind = Slipshod
    breaks = ("test_what_is_acknowledged_is_owed_no_longer",)


class TestStrict(Broken):
    kind = Strict
    breaks = ("test_acknowledgement_may_be_repeated_or_concern_nothing",)


class TestSweeping(Broken):
    kind = Sweeping
    breaks = (
        "test_acknowledged_event_stays_in_the_history",
        "test_acknowledgement_of_one_module_settles_nothing_with_another",
    )


class TestCounting(Broken):
    kind = Counting
    breaks = ("test_released_envelope_is_due_at_once_and_its_send_not_counted",)


class TestLoose(Broken):
    kind = Loose
    breaks = (
        "test_release_leaves_others_alone",
        "test_postponing_leaves_others_alone",
        "test_postponing_leaves_alone_what_is_not_due",
    )


class TestUnmoved(Broken):
    kind = Unmoved
    breaks = ("test_postponed_envelope_is_due_after_one_more_first_interval",)


class TestClinging(Broken):
    kind = Clinging
    breaks = ("test_still_owed_is_what_was_not_acknowledged_by_that_module",)


class TestCareless(Broken):
    kind = Careless
    breaks = ("test_owed_tells_count_and_age_by_target",)
