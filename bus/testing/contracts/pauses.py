"""What a pause store promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.database import Database
from bus.inbox.pauses import Pause, PauseKind, PauseStore
from bus.testing.clock import FakeClock
from bus.testing.contracts.samples import StoreFixtures


class PauseStoreContract(StoreFixtures):
    """Certifies a `bus.inbox.pauses.PauseStore`; a subclass provides the fixture `store`."""

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> PauseStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    def test_pause_is_kept_with_all_that_it_says(self, store: PauseStore, clock: FakeClock) -> None:
        """Also for whoever looks later, in another process."""
        pauses = [by_operator(clock, "kitchen.bake", seconds=60), stopped(clock, "kitchen.open_ticket", probes=3)]
        for pause in pauses:
            store.set(pause)

        assert store.all() == pauses

    def test_pauses_are_sorted_by_target(self, store: PauseStore, clock: FakeClock) -> None:
        """Whichever was set first."""
        for target in ("kitchen.bake", "kitchen", "kitchen.open_ticket"):
            store.set(by_operator(clock, target))

        assert [pause.target for pause in store.all()] == ["kitchen", "kitchen.bake", "kitchen.open_ticket"]

    def test_asking_does_not_wait_for_a_transaction(
        self, store: PauseStore, clock: FakeClock, database: Database
    ) -> None:
        """Questions take no lock."""
        store.set(by_operator(clock, "kitchen"))
        with database.write():
            assert len(store.all()) == 1

    def test_pause_without_an_end_lasts(self, store: PauseStore, clock: FakeClock) -> None:
        """Until somebody resumes it."""
        store.set(by_operator(clock, "kitchen"))
        clock.advance(days=100)

        assert [pause.target for pause in store.all()] == ["kitchen"]

    def test_pause_ends_by_itself_when_its_time_is_over(self, store: PauseStore, clock: FakeClock) -> None:
        """An operator's."""
        store.set(by_operator(clock, "kitchen", seconds=60))

        clock.advance(seconds=59)
        assert len(store.all()) == 1
        clock.advance(seconds=1)
        assert store.all() == []

    def test_listener_that_has_stopped_itself_stays_stopped_until_a_probe_completes(
        self, store: PauseStore, clock: FakeClock
    ) -> None:
        """Its time is when it is probed, not when it ends."""
        store.set(stopped(clock, "kitchen.bake"))
        clock.advance(days=1)

        assert [pause.target for pause in store.all()] == ["kitchen.bake"]

    def test_pause_replaces_the_one_that_its_target_has(self, store: PauseStore, clock: FakeClock) -> None:
        """A target has one."""
        store.set(stopped(clock, "kitchen.bake"))
        store.set(by_operator(clock, "kitchen.bake", seconds=60))
        longer = by_operator(clock, "kitchen.bake", seconds=120)
        store.set(longer)

        assert store.all() == [longer]

    def test_kill_switch_leaves_the_pause_of_an_operator(self, store: PauseStore, clock: FakeClock) -> None:
        """A person's word stands."""
        of_operator = by_operator(clock, "kitchen.bake", seconds=60)
        store.set(of_operator)

        store.set(stopped(clock, "kitchen.bake"))

        assert store.all() == [of_operator]

    def test_kill_switch_replaces_a_pause_of_an_operator_that_has_ended(
        self, store: PauseStore, clock: FakeClock
    ) -> None:
        """It is in nobody's way."""
        store.set(by_operator(clock, "kitchen.bake", seconds=60))
        clock.advance(seconds=60)

        store.set(stopped(clock, "kitchen.bake"))

        assert [pause.kind for pause in store.all()] == [PauseKind.KILL_SWITCH]

    def test_kill_switch_replaces_its_own_pause(self, store: PauseStore, clock: FakeClock) -> None:
        """A failed probe doubles it."""
        store.set(stopped(clock, "kitchen.bake"))
        store.set(stopped(clock, "kitchen.bake", seconds=60, probes=1))

        assert store.all() == [stopped(clock, "kitchen.bake", seconds=60, probes=1)]

    def test_removing_says_whether_there_was_a_pause(self, store: PauseStore, clock: FakeClock) -> None:
        """And takes no other with it."""
        store.set(by_operator(clock, "kitchen"))
        store.set(by_operator(clock, "kitchen.bake"))

        assert store.remove("kitchen")
        assert not store.remove("kitchen")
        assert [pause.target for pause in store.all()] == ["kitchen.bake"]

    def test_pause_of_another_kind_is_not_removed(self, store: PauseStore, clock: FakeClock) -> None:
        """A probe that completes ends no operator's pause."""
        store.set(by_operator(clock, "kitchen.bake"))

        assert not store.remove("kitchen.bake", PauseKind.KILL_SWITCH)
        assert store.remove("kitchen.bake", PauseKind.OPERATOR)

    def test_probe_is_taken_when_the_time_is_over(self, store: PauseStore, clock: FakeClock) -> None:
        """Not earlier."""
        store.set(stopped(clock, "kitchen.bake", seconds=30))
        is_early = store.take_probe("kitchen.bake", clock.microseconds() + 60_000_000)
        clock.advance(seconds=30)

        assert not is_early
        assert store.take_probe("kitchen.bake", clock.microseconds() + 60_000_000)

    def test_one_of_many_threads_takes_the_probe(self, store: PauseStore, clock: FakeClock) -> None:
        """One publication is enough to try."""
        store.set(stopped(clock, "kitchen.bake", seconds=30))
        clock.advance(seconds=30)
        later = clock.microseconds() + 60_000_000

        with ThreadPoolExecutor(8) as threads:
            taken = list(threads.map(lambda _: store.take_probe("kitchen.bake", later), range(8)))

        assert taken.count(True) == 1

    def test_probe_that_is_never_heard_of_again_is_taken_by_somebody_else(
        self, store: PauseStore, clock: FakeClock
    ) -> None:
        """When the time that its taker has named is over."""
        store.set(stopped(clock, "kitchen.bake", seconds=30))
        clock.advance(seconds=30)
        store.take_probe("kitchen.bake", clock.microseconds() + 60_000_000)

        clock.advance(seconds=60)

        assert store.take_probe("kitchen.bake", clock.microseconds() + 60_000_000)

    def test_pause_of_an_operator_is_not_probed(self, store: PauseStore, clock: FakeClock) -> None:
        """Nor a listener that runs."""
        store.set(by_operator(clock, "kitchen.bake", seconds=1))
        clock.advance(seconds=1)

        assert not store.take_probe("kitchen.bake", clock.microseconds() + 1)
        assert not store.take_probe("kitchen.open_ticket", clock.microseconds() + 1)


def by_operator(clock: FakeClock, target: str, *, seconds: int | None = None) -> Pause:
    """Return a pause of a person, for so many seconds or without an end."""
    now = clock.microseconds()
    until = None if seconds is None else now + seconds * 1_000_000
    return Pause(target, PauseKind.OPERATOR, "the oven is broken", "Ada", now, until)


def stopped(clock: FakeClock, target: str, *, seconds: int = 30, probes: int = 0) -> Pause:
    """Return the pause of a listener that has stopped itself, to be probed in so many seconds."""
    now = clock.microseconds()
    return Pause(target, PauseKind.KILL_SWITCH, "its runs fail", target, now, now + seconds * 1_000_000, probes)
