"""What a dead-letter store promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bus.database import Database
from bus.inbox.dead_letters import DeadLetterStore, PublicationQuery
from bus.inbox.state import Reason, State
from bus.inbox.store import InboxStore, Outcome, Trouble
from bus.testing.clock import FakeClock
from bus.testing.contracts.publications import BAKE, OPEN, TROUBLE, Worker, dead, failed, publication
from bus.testing.contracts.samples import StoreFixtures, sample

BURNT = Trouble("KeyError", "KeyError: 'oven'", "oven.py:9 in heat", "Traceback: oven")

#: Matches every publication that is tried again.
RETRYING = PublicationQuery(State.RETRYING)


class DeadLetterStoreContract(StoreFixtures):
    """Certifies a `bus.inbox.dead_letters.DeadLetterStore`; a subclass provides the fixtures `store` and `inbox`."""

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> DeadLetterStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    @pytest.fixture
    def inbox(self, database: Database, clock: FakeClock) -> InboxStore:
        """Return the inbox store of the same publications."""
        raise NotImplementedError("the subclass provides the fixture `inbox`")

    @pytest.fixture
    def worker(self, inbox: InboxStore, database: Database, clock: FakeClock) -> Worker:
        """Return what runs publications of the inbox."""
        return Worker(inbox, database, clock)

    @pytest.fixture
    def dead_three(self, worker: Worker) -> None:
        """Have three publications die, a second apart, the last two of the same error."""
        for number, listener_id, trouble in ((1, OPEN, BURNT), (2, BAKE, TROUBLE), (3, BAKE, TROUBLE)):
            worker.store.record(publication(number, listener_id), dead(trouble=trouble))
            worker.clock.advance(seconds=1)

    # Which publications are meant.

    def test_dead_ones_are_meant_unless_another_state_is_named(self, store: DeadLetterStore, worker: Worker) -> None:
        """Each state on its own."""
        worker.complete(publication(1))
        worker.store.record(publication(2), failed())
        worker.store.record(publication(3), dead())

        found = [store.find(query, limit=10) for query in (PublicationQuery(), *map(PublicationQuery, State))]

        assert [[record.event_id for record in records] for records in found] == [
            [sample(3).id],
            [sample(2).id],
            [sample(1).id],
            [sample(3).id],
        ]

    def test_discarded_ones_are_meant_only_by_their_reason(self, store: DeadLetterStore, worker: Worker) -> None:
        """They were given up on purpose."""
        worker.store.record(publication(1), dead(Reason.DISCARDED))
        worker.store.record(publication(2), dead())

        assert events(store, PublicationQuery()) == [2]
        assert events(store, PublicationQuery(reason=Reason.DISCARDED)) == [1]

    @pytest.mark.parametrize(
        ("query", "meant"),
        [
            (PublicationQuery(listener=BAKE), [3, 2]),
            (PublicationQuery(event_name=sample(1).type), [3, 2, 1]),
            (PublicationQuery(event_name="order.cancelled"), []),
            (PublicationQuery(event_id=sample(2).id), [2]),
            (PublicationQuery(event_id=sample(2).id[:9]), [2]),
            (PublicationQuery(event_id="0000000_"), []),
            (PublicationQuery(event_id="%"), []),
            (PublicationQuery(key="key 3"), [3]),
            (PublicationQuery(error_type="KeyError"), [1]),
            (PublicationQuery(place="oven.py:7 in bake"), [3, 2]),
            (PublicationQuery(reason=Reason.FAILED), [3, 2, 1]),
            (PublicationQuery(reason=Reason.CRASHED), []),
            (PublicationQuery(listener=BAKE, error_type="KeyError"), []),
        ],
        ids=repr,
    )
    @pytest.mark.usefixtures("dead_three")
    def test_every_part_of_a_query_has_to_hold(
        self, store: DeadLetterStore, query: PublicationQuery, meant: list[int]
    ) -> None:
        """And finding and counting mean the same."""
        assert events(store, query) == meant
        assert store.count(query) == len(meant)

    @pytest.mark.usefixtures("dead_three")
    def test_since_includes_its_moment_and_until_does_not(self, store: DeadLetterStore, clock: FakeClock) -> None:
        """So two spans that touch miss nothing and tell nothing twice."""
        second = clock.microseconds() - 2_000_000

        assert events(store, PublicationQuery(since=second)) == [3, 2]
        assert events(store, PublicationQuery(until=second)) == [1]

    @pytest.mark.usefixtures("dead_three")
    def test_newest_are_found_first_up_to_the_limit(self, store: DeadLetterStore) -> None:
        """The last to die."""
        assert events(store, PublicationQuery(), limit=2) == [3, 2]

    def test_record_tells_what_became_of_the_publication(self, store: DeadLetterStore, worker: Worker) -> None:
        """Event, counts and error."""
        outcome = Outcome(State.DEAD, Reason.CRASHED, 0, failures=2, crashes=3, trouble=TROUBLE)
        worker.store.record(publication(), outcome)

        [found] = store.find(PublicationQuery(), limit=10)

        assert (found.listener_id, found.event_id, found.state, found.reason) == (
            OPEN,
            sample(1).id,
            State.DEAD,
            Reason.CRASHED,
        )
        assert (found.failures, found.crashes, found.due_at) == (2, 3, worker.clock.microseconds())
        assert (found.event_name, found.key) == (sample(1).type, sample(1).subject)
        assert (found.error_type, found.error, found.place) == (TROUBLE.type, TROUBLE.text, TROUBLE.place)

    def test_record_of_a_completed_one_tells_how_long_its_run_took(
        self, store: DeadLetterStore, worker: Worker
    ) -> None:
        """And when it ended."""
        worker.complete(publication())

        [found] = store.find(PublicationQuery(State.COMPLETED), limit=10)

        assert (found.reason, found.took, found.due_at) == (None, 5, worker.clock.microseconds())

    # Other questions.

    def test_publications_of_an_event_are_told_in_any_state_sorted_by_listener(
        self, store: DeadLetterStore, worker: Worker
    ) -> None:
        """And none of another event."""
        worker.complete(publication(1, OPEN))
        worker.store.record(publication(1, BAKE), dead())
        worker.complete(publication(2, OPEN))

        found = store.of_event(sample(1).id)

        assert [(each.listener_id, each.state) for each in found] == [(BAKE, State.DEAD), (OPEN, State.COMPLETED)]

    @pytest.mark.usefixtures("dead_three")
    def test_groups_are_of_one_listener_and_one_error_the_largest_first(
        self, store: DeadLetterStore, clock: FakeClock
    ) -> None:
        """A thousand dead letters of one bug are one line."""
        now = clock.microseconds()

        baking, opening = store.groups(PublicationQuery())

        assert (baking.listener_id, baking.error_type, baking.place, baking.count) == (
            BAKE,
            TROUBLE.type,
            TROUBLE.place,
            2,
        )
        assert (baking.first_at, baking.last_at) == (now - 2_000_000, now - 1_000_000)
        assert (baking.reason, baking.example) == (Reason.FAILED, TROUBLE.text)
        assert (opening.listener_id, opening.count) == (OPEN, 1)

    def test_attempts_are_told_oldest_first(self, store: DeadLetterStore, worker: Worker) -> None:
        """With the whole of each error."""
        worker.store.record(publication(), failed())
        found = worker.store.claim([OPEN])
        assert found is not None
        worker.store.record(found, dead(trouble=BURNT))

        first, last = store.attempts(OPEN, sample(1).id)

        assert (first.outcome, first.error, first.traceback) == (Reason.FAILED, TROUBLE.text, TROUBLE.traceback)
        assert (last.error_type, last.error, last.place) == (BURNT.type, BURNT.text, BURNT.place)

    def test_what_only_waits_is_no_attempt(self, store: DeadLetterStore, worker: Worker) -> None:
        """It would fill the history up."""
        worker.store.record(publication(1), replace(failed(), reason=Reason.BUSY))
        worker.store.record(publication(2), Outcome(State.RETRYING, Reason.PAUSED, 0, failures=0, crashes=0))

        assert store.attempts(OPEN, sample(1).id) == []
        assert store.attempts(OPEN, sample(2).id) == []

    def test_failure_that_came_too_late_is_no_attempt(self, store: DeadLetterStore, worker: Worker) -> None:
        """Nothing changes where recording is fenced off."""
        worker.complete(publication())
        worker.store.record(publication(), failed())

        assert store.attempts(OPEN, sample(1).id) == []

    def test_event_is_given_as_long_as_it_is_held(self, store: DeadLetterStore, worker: Worker) -> None:
        """A dead letter holds it; who has completed needs it no longer."""
        worker.store.record(publication(1), dead())
        worker.complete(publication(2))

        assert store.envelope(OPEN, sample(1).id) == sample(1)
        assert store.envelope(OPEN, sample(2).id) is None
        assert store.envelope(OPEN, "unheard of") is None

    def test_asking_does_not_wait_for_a_transaction(self, store: DeadLetterStore, worker: Worker) -> None:
        """Questions take no lock."""
        worker.store.record(publication(), dead())
        with worker.database.write():
            assert events(store, PublicationQuery()) == [1]
            assert len(store.groups(PublicationQuery())) == store.count(PublicationQuery()) == 1
            assert len(store.attempts(OPEN, sample(1).id)) == len(store.of_event(sample(1).id)) == 1
            assert store.forgettable(worker.clock.microseconds()) == 0

    # Running again.

    def test_redelivered_publication_is_due_now_as_if_it_had_never_failed(
        self, store: DeadLetterStore, worker: Worker
    ) -> None:
        """Its limits begin anew."""
        worker.store.record(publication(), dead())

        assert store.redeliver(PublicationQuery(), who="Ada") == 1
        found = worker.store.claim([OPEN])
        assert found is not None
        assert (found.envelope, found.failures, found.crashes, found.is_suspect) == (sample(1), 0, 0, False)

    def test_redelivery_stands_in_the_history_with_who_asked_for_it(
        self, store: DeadLetterStore, worker: Worker
    ) -> None:
        """After what went before."""
        worker.store.record(publication(), dead())
        store.redeliver(PublicationQuery(), who="Ada")

        last = store.attempts(OPEN, sample(1).id)[-1]

        assert (last.outcome, last.at) == (Reason.REDELIVERED, worker.clock.microseconds())
        assert "Ada" in (last.error or "")

    @pytest.mark.parametrize("query", [RETRYING, PublicationQuery(State.COMPLETED), PublicationQuery(listener=BAKE)])
    def test_nothing_but_dead_ones_that_match_is_redelivered(
        self, store: DeadLetterStore, worker: Worker, query: PublicationQuery
    ) -> None:
        """What was completed must never run again."""
        worker.store.record(publication(1), dead())
        worker.complete(publication(2))
        worker.store.record(publication(3), failed(due_in=60))

        assert store.redeliver(query, who="Ada") == 0
        assert worker.store.claim([OPEN]) is None

    # Giving up.

    def test_discarded_publication_is_not_run_again(self, store: DeadLetterStore, worker: Worker) -> None:
        """Who and why stand in its history."""
        worker.store.record(publication(), failed())

        assert store.discard(RETRYING, who="Ada", why="sold out") == 1
        assert worker.store.claim([OPEN]) is None
        assert events(store, PublicationQuery(reason=Reason.DISCARDED)) == [1]
        last = store.attempts(OPEN, sample(1).id)[-1]
        assert (last.outcome, "Ada" in (last.error or ""), "sold out" in (last.error or "")) == (
            Reason.DISCARDED,
            True,
            True,
        )

    def test_publication_that_is_being_run_is_not_discarded(self, store: DeadLetterStore, worker: Worker) -> None:
        """Its run will say how it ended."""
        worker.mark(publication())

        assert store.discard(RETRYING, who="Ada", why="sold out") == 0
        worker.complete(publication(starts=1))

    def test_completed_publication_is_not_discarded(self, store: DeadLetterStore, worker: Worker) -> None:
        """Its effects are there."""
        worker.complete(publication())

        assert store.discard(PublicationQuery(State.COMPLETED), who="Ada", why="sold out") == 0
        assert events(store, PublicationQuery(State.COMPLETED)) == [1]

    # Forgetting.

    def test_completed_and_discarded_ones_that_ended_before_are_forgotten(
        self, store: DeadLetterStore, worker: Worker
    ) -> None:
        """With their history; dead letters, what is tried again and what is younger stay."""
        worker.complete(publication(1))
        worker.store.record(publication(2), dead(Reason.DISCARDED))
        worker.store.record(publication(3), dead())
        worker.store.record(publication(4), failed())
        worker.clock.advance(seconds=1)
        before = worker.clock.microseconds()
        worker.complete(publication(5))

        assert store.forgettable(before) == store.forget(before, 10) == 2
        left = [number for number in range(1, 6) if store.of_event(sample(number).id)]
        assert (left, store.attempts(OPEN, sample(2).id), store.forgettable(before)) == ([3, 4, 5], [], 0)

    def test_no_more_are_forgotten_than_the_limit(self, store: DeadLetterStore, worker: Worker) -> None:
        """No transaction holds the database for long."""
        for number in range(2):
            worker.complete(publication(number))
            worker.store.record(publication(number, BAKE), dead(Reason.DISCARDED))
        later = worker.clock.microseconds() + 1

        assert [store.forget(later, 3), store.forget(later, 3), store.forget(later, 3)] == [3, 1, 0]


def events(store: DeadLetterStore, query: PublicationQuery, *, limit: int = 10) -> list[int]:
    """Return the numbers of the events of the publications that are found."""
    return [int(record.event_id[:8], 16) for record in store.find(query, limit=limit)]
