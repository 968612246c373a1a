"""What an inbox store promises about runs that never end: who is told of them, and who is blamed."""

from __future__ import annotations

from bus.inbox.store import Publication
from bus.testing.contracts.publications import (
    BAKE,
    OPEN,
    Worker,
    crashed,
    failed,
    publication,
)
from bus.testing.contracts.samples import sample


class CrashContract:
    """A part of the contract of an inbox store, which provides the fixture `worker`."""

    def test_run_that_never_ends_counts_as_crashed_after_its_lease(self, worker: Worker) -> None:
        """Not at once: it may still run."""
        worker.mark(publication())
        is_early = worker.store.crashed([OPEN], 10) != []

        assert not is_early
        assert worker.await_crash() == Publication(OPEN, sample(1), starts=1)

    def test_crashes_are_told_for_the_listeners_asked_for_up_to_the_limit(self, worker: Worker) -> None:
        """The others wait for the next look."""
        for number in range(3):
            worker.mark(publication(number))
        worker.await_crash()

        assert len(worker.store.crashed([OPEN], 2)) == 2
        assert worker.store.crashed([BAKE], 2) == []

    def test_recorded_crash_makes_the_next_run_suspect(self, worker: Worker) -> None:
        """It is made alone."""
        worker.mark(publication())

        worker.store.record(worker.await_crash(), crashed())

        assert worker.store.crashed([OPEN], 10) == []
        assert worker.store.claim([OPEN]) == Publication(OPEN, sample(1), starts=2, is_suspect=True)

    def test_failure_of_a_run_that_passed_for_a_crash_is_recorded_in_its_place(self, worker: Worker) -> None:
        """It was long, and its process lives."""
        worker.mark(publication())
        worker.store.record(worker.await_crash(), crashed())

        assert worker.store.record(publication(starts=1), failed())
        assert worker.store.claim([OPEN]) == Publication(OPEN, sample(1), starts=2, failures=1)

    def test_crash_of_a_run_that_was_made_alone_is_its_own(self, worker: Worker) -> None:
        """That is how the bus tells the guilty from who ran beside it."""
        worker.mark(publication())
        beside_others = worker.await_crash()
        worker.store.record(beside_others, crashed())
        found = worker.store.claim([OPEN])

        assert found is not None
        assert worker.store.run_alone(found)
        assert not beside_others.is_suspect
        assert worker.await_crash().is_suspect

    def test_crash_of_a_suspect_that_waits_to_be_alone_is_not_its_own(self, worker: Worker) -> None:
        """Somebody else's run has brought the process down."""
        worker.mark(publication())
        worker.store.record(worker.await_crash(), crashed())
        worker.store.claim([OPEN])

        assert not worker.await_crash().is_suspect

    def test_run_that_was_taken_over_while_it_waited_is_not_made(self, worker: Worker) -> None:
        """Whoever has changed the row decides."""
        worker.mark(publication())
        worker.store.record(worker.await_crash(), crashed())
        found = worker.store.claim([OPEN])
        worker.store.record(worker.await_crash(), crashed())

        assert found is not None
        assert not worker.store.run_alone(found)
