"""What an inbox store promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from bus.database import Database
from bus.errors import LostPublicationError
from bus.inbox.state import Reason, State
from bus.inbox.store import NO_LISTENER, InboxStore, Outcome, Publication
from bus.testing.clock import FakeClock
from bus.testing.contracts.crashes import CrashContract
from bus.testing.contracts.publications import (
    BAKE,
    LONGEST_LEASE,
    OPEN,
    TROUBLE,
    Worker,
    dead,
    failed,
    parked,
    publication,
)
from bus.testing.contracts.samples import StoreFixtures, sample


class InboxStoreContract(CrashContract, StoreFixtures):
    """Certifies a `bus.inbox.store.InboxStore`; a subclass provides the fixture `store`."""

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> InboxStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    @pytest.fixture
    def worker(self, store: InboxStore, database: Database, clock: FakeClock) -> Worker:
        """Return what runs publications of the store."""
        return Worker(store, database, clock)

    # Marks.

    def test_publication_is_marked_once(self, worker: Worker) -> None:
        """Whoever comes second leaves it."""
        assert worker.mark(publication())
        assert not worker.mark(publication())

    def test_one_of_many_threads_marks(self, worker: Worker) -> None:
        """A transport may deliver one event to several workers at once."""
        with ThreadPoolExecutor(8) as threads:
            marked = list(threads.map(lambda _: worker.marks(publication()), range(8)))

        assert marked.count(True) == 1

    def test_run_of_somebody_else_that_has_not_committed_settles_nothing(self, worker: Worker) -> None:
        """A row that is not committed is no row: it is waited for, or told to be held, and never taken for done."""
        with ThreadPoolExecutor(1) as thread:
            with pytest.raises(ZeroDivisionError), worker.database.write() as connection:
                worker.store.start(connection, publication())
                marking = thread.submit(worker.marks, publication())
                with suppress(TimeoutError):
                    marking.result(timeout=0.2)
                raise ZeroDivisionError

            assert marking.result() is not False

    def test_each_listener_of_an_event_has_a_mark_of_its_own(self, worker: Worker) -> None:
        """One does not stand in for the other."""
        assert worker.mark(publication(listener_id=OPEN))
        assert worker.mark(publication(listener_id=BAKE))

    # Starts.

    def test_first_run_needs_no_mark(self, worker: Worker) -> None:
        """The outbox row vouches for it."""
        assert worker.start(publication())

    def test_marked_run_starts_with_its_mark_and_not_without(self, worker: Worker) -> None:
        """Somebody else may have set it."""
        worker.mark(publication())

        assert not worker.start(publication(starts=0))
        assert worker.start(publication(starts=1))

    def test_run_that_was_rolled_back_may_be_started_again(self, worker: Worker) -> None:
        """Starting commits nothing itself."""
        assert worker.start(publication())
        assert worker.start(publication())
        assert worker.store.counts() == []

    def test_run_does_not_start_when_somebody_else_has_taken_it_over(self, worker: Worker) -> None:
        """A zombie must not run beside its heir."""
        worker.mark(publication())
        worker.store.record(publication(starts=1), failed())
        worker.store.claim([OPEN])

        assert not worker.start(publication(starts=1))

    @pytest.mark.parametrize("starts", [0, 1])
    def test_completed_publication_is_not_started_again(self, worker: Worker, starts: int) -> None:
        """An event that comes twice has its effects once."""
        if starts:
            worker.mark(publication())
        worker.complete(publication(starts=starts))

        assert not worker.start(publication(starts=0))
        assert not worker.start(publication(starts=1))
        assert not worker.mark(publication())

    def test_nobody_sees_a_running_start_and_asking_does_not_wait(self, worker: Worker) -> None:
        """Questions take no lock: they are answered while a listener runs."""
        with worker.database.write() as connection:
            worker.store.start(connection, publication())

            assert worker.store.counts() == []
            assert worker.store.retrying() == 0
            assert not worker.store.has_due([OPEN], [])
            assert worker.store.crashed([OPEN], 10) == []

    # Completion.

    def test_completed_publication_is_counted_and_never_due_again(self, worker: Worker) -> None:
        """State decides, for as long as it is remembered."""
        worker.complete(publication())
        worker.clock.advance(days=1)

        assert worker.counted() == {"completed": 1}
        assert not worker.store.has_due([OPEN], [sample(1).type])
        assert worker.store.claim([OPEN]) is None
        assert worker.store.crashed([OPEN], 10) == []

    def test_completion_is_gone_when_the_transaction_rolls_back(self, worker: Worker) -> None:
        """It stands and falls with the effects of the listener."""
        with pytest.raises(ZeroDivisionError), worker.database.write() as connection:
            worker.store.start(connection, publication())
            worker.store.complete(connection, publication(), took=5)
            raise ZeroDivisionError

        assert worker.store.counts() == []

    def test_completion_of_what_was_never_started_is_refused(self, worker: Worker) -> None:
        """It must hit exactly one row."""
        with pytest.raises(LostPublicationError), worker.database.write() as connection:
            worker.store.complete(connection, publication(), took=5)

    def test_second_completion_is_refused(self, worker: Worker) -> None:
        """The first has ended the run."""
        worker.complete(publication())

        with pytest.raises(LostPublicationError), worker.database.write() as connection:
            worker.store.complete(connection, publication(), took=5)

    def test_completion_of_a_marked_run_without_its_start_is_refused(self, worker: Worker) -> None:
        """A mark is no start."""
        worker.mark(publication())

        with pytest.raises(LostPublicationError), worker.database.write() as connection:
            worker.store.complete(connection, publication(starts=1), took=5)

    # What became of a run that did not complete.

    @pytest.mark.parametrize("starts", [0, 1])
    def test_failed_run_is_recorded_whether_it_was_marked_or_not(self, worker: Worker, starts: int) -> None:
        """What has no row gets one."""
        if starts:
            worker.mark(publication())

        assert worker.store.record(publication(starts=starts), failed())
        assert worker.counted() == {"open": 1, "retrying": 1}

    def test_failed_publication_is_due_when_its_time_has_come(self, worker: Worker) -> None:
        """Not a moment earlier."""
        worker.store.record(publication(), failed(due_in=10))

        worker.clock.advance(seconds=9.999999)
        assert worker.store.claim([OPEN]) is None
        worker.clock.advance(microseconds=1)
        assert worker.store.claim([OPEN]) is not None

    def test_late_failure_does_not_undo_what_was_completed_meanwhile(self, worker: Worker) -> None:
        """Recording is fenced."""
        worker.complete(publication())

        assert not worker.store.record(publication(), failed())
        assert not worker.store.record(publication(starts=1), failed())
        assert worker.counted() == {"completed": 1}

    def test_late_failure_does_not_disturb_a_run_that_was_taken_over(self, worker: Worker) -> None:
        """Recording is fenced by the starts."""
        worker.mark(publication())
        worker.store.record(publication(starts=1), failed())
        heir = worker.store.claim([OPEN])
        assert heir is not None

        assert not worker.store.record(publication(starts=1), dead())
        assert worker.start(heir)

    def test_dead_publication_is_not_run_again(self, worker: Worker) -> None:
        """It is counted apart."""
        worker.store.record(publication(), dead())
        worker.clock.advance(days=1)

        assert worker.counted() == {"dead": 1}
        assert worker.store.claim([OPEN]) is None
        assert not worker.mark(publication())

    def test_discarded_publication_counts_as_nothing(self, worker: Worker) -> None:
        """It was given up on purpose."""
        worker.store.record(publication(), dead(Reason.DISCARDED))

        assert worker.counted() == {}

    def test_publication_that_was_put_off_keeps_its_counts(self, worker: Worker) -> None:
        """A pause is no failure."""
        worker.store.record(publication(), Outcome(State.RETRYING, Reason.PAUSED, 0, failures=0, crashes=0))

        found = worker.store.claim([OPEN])

        assert found == Publication(OPEN, sample(1), starts=1)

    # Claims.

    def test_claim_returns_event_and_counts_and_marks_the_start(self, worker: Worker) -> None:
        """Every field of the event; what has crashed alone stays suspect."""
        worker.mark(publication())
        worker.store.record(publication(starts=1), replace(failed(failures=3), crashes=2))

        claimed = worker.store.claim([OPEN])

        assert claimed == Publication(OPEN, sample(1), starts=2, failures=3, crashes=2, is_suspect=True)

    def test_claim_takes_what_is_due_longest(self, worker: Worker) -> None:
        """Of all the listeners that are asked for."""
        for number, due_in, listener_id in ((1, 3, OPEN), (2, 1, BAKE), (3, 2, OPEN)):
            worker.store.record(publication(number, listener_id), failed(due_in))
        worker.clock.advance(seconds=5)

        claimed = [worker.store.claim([OPEN, BAKE]) for _ in range(3)]

        assert [found.envelope for found in claimed if found] == [sample(2), sample(3), sample(1)]

    def test_claim_leaves_other_listeners_alone(self, worker: Worker) -> None:
        """They may be paused, or another build's."""
        worker.store.record(publication(), failed())

        assert worker.store.claim([BAKE]) is None
        assert worker.store.claim([]) is None

    def test_no_two_of_many_threads_claim_the_same_publication(self, worker: Worker) -> None:
        """Workers of several processes run one inbox."""
        for number in range(40):
            worker.store.record(publication(number), failed())

        with ThreadPoolExecutor(8) as threads:
            claimed = list(threads.map(lambda _: worker.store.claim([OPEN]), range(60)))

        taken = [found.envelope.id for found in claimed if found]
        assert sorted(taken) == [sample(number).id for number in range(40)]

    def test_claimed_publication_is_not_claimed_again_however_long_it_runs(self, worker: Worker) -> None:
        """A run that has not ended is a crash, which is somebody else's question."""
        worker.store.record(publication(), failed())
        worker.store.claim([OPEN])
        worker.clock.advance(days=1)

        assert worker.store.claim([OPEN]) is None

    # Events that no listener could be found for.

    def test_parked_event_is_taken_up_when_it_can_be_read(self, worker: Worker) -> None:
        """By its name, and the version that the build knows."""
        event = Publication(NO_LISTENER, sample(1))
        worker.store.record(event, parked())

        assert worker.store.claim_parked({"other.event": 1}, 0) is None
        found = worker.store.claim_parked({sample(1).type: sample(1).version}, 0)
        assert found is not None
        assert (found.listener_id, found.envelope) == (NO_LISTENER, sample(1))

    def test_parked_event_of_a_later_version_is_put_off(self, worker: Worker) -> None:
        """It is not looked at again before its time."""
        worker.store.record(Publication(NO_LISTENER, sample(1)), parked())
        older = {sample(1).type: sample(1).version - 1}

        assert worker.store.claim_parked(older, 10_000_000) is None
        assert not worker.store.has_due([], older)
        worker.clock.advance(seconds=10)
        assert worker.store.has_due([], older)

    def test_parked_event_is_not_taken_up_before_its_time(self, worker: Worker) -> None:
        """It was looked at just now."""
        worker.store.record(Publication(NO_LISTENER, sample(1)), parked(due_in=10))

        assert worker.store.claim_parked({sample(1).type: 9}, 0) is None

    def test_unparked_event_is_due_for_each_listener_and_parked_no_longer(self, worker: Worker) -> None:
        """One row of each, in place of its own."""
        worker.store.record(Publication(NO_LISTENER, sample(1)), parked())
        found = worker.store.claim_parked({sample(1).type: 9}, 0)
        assert found is not None

        worker.store.unpark(found, iter([OPEN, BAKE]))

        assert worker.store.claim([OPEN]) == Publication(OPEN, sample(1), starts=1)
        assert worker.store.claim([BAKE]) == Publication(BAKE, sample(1), starts=1)
        assert worker.store.claim_parked({sample(1).type: 9}, 0) is None

    def test_unparking_leaves_a_publication_alone_that_is_done(self, worker: Worker) -> None:
        """Its event came again, and another build had read it."""
        worker.complete(publication())
        worker.store.record(Publication(NO_LISTENER, sample(1)), parked())

        worker.store.unpark(Publication(NO_LISTENER, sample(1)), [OPEN])

        assert worker.counted() == {"completed": 1}
        assert worker.store.claim([OPEN]) is None

    # Questions.

    def test_something_is_due_when_a_run_is_due_has_crashed_or_a_parked_event_can_be_read(self, worker: Worker) -> None:
        """And for nobody else."""
        worker.store.record(publication(1, OPEN), failed())
        worker.store.record(Publication(NO_LISTENER, sample(3)), parked())
        worker.mark(publication(2, BAKE))

        assert worker.store.has_due([OPEN], [])
        assert worker.store.has_due([], [sample(3).type])
        assert not worker.store.has_due([BAKE], ["other.event"])
        worker.clock.advance(seconds=LONGEST_LEASE)
        assert worker.store.has_due([BAKE], [])

    def test_retrying_counts_what_is_to_run_again(self, worker: Worker) -> None:
        """Due or not; nothing that is settled."""
        worker.complete(publication(1))
        worker.store.record(publication(2), dead())
        worker.store.record(publication(3), failed(due_in=60))
        worker.mark(publication(4))

        assert worker.store.retrying() == 2

    def test_counts_tell_parked_ones_apart(self, worker: Worker) -> None:
        """They wait for a build, not for another try."""
        worker.store.record(Publication(NO_LISTENER, sample(1)), parked())

        assert worker.counted(NO_LISTENER) == {"open": 1, "parked": 1}

    def test_counts_are_sorted_by_listener_and_tell_the_oldest_event_and_an_error(self, worker: Worker) -> None:
        """What an operator sees first."""
        worker.store.record(publication(2, OPEN), failed())
        worker.store.record(publication(1, OPEN), failed())
        worker.complete(publication(3, BAKE))

        bake, opened = worker.store.counts()

        assert (bake.listener_id, bake.oldest, bake.last_error) == (BAKE, None, None)
        assert (opened.listener_id, opened.oldest, opened.last_error) == (OPEN, sample(1).time, TROUBLE.text)
