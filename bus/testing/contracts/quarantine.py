"""What a quarantine store promises."""

from __future__ import annotations

import hashlib

import pytest

from bus.database import Database
from bus.inbox.quarantine import MAX_KEPT, Quarantined, QuarantineStore
from bus.testing.clock import FakeClock
from bus.testing.contracts.samples import StoreFixtures


class QuarantineStoreContract(StoreFixtures):
    """Certifies a `bus.inbox.quarantine.QuarantineStore`; a subclass provides the fixture `store`."""

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> QuarantineStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    def test_bytes_are_kept_with_all_that_is_known_of_them(self, store: QuarantineStore, clock: FakeClock) -> None:
        """Whatever they are: no text, and no end in sight."""
        data = bytes(range(256))
        now = clock.microseconds()

        digest = store.add(data, origin="queue kitchen", problem="no msgpack")

        assert digest == hashlib.sha256(data).hexdigest()
        assert store.all() == [Quarantined(digest, now, now, 1, "queue kitchen", "no msgpack", 256, data)]

    def test_nothing_at_all_is_kept_too(self, store: QuarantineStore) -> None:
        """An empty message is no envelope either."""
        store.add(b"", origin="queue", problem="empty")

        assert [(found.size, found.data) for found in store.all()] == [(0, b"")]

    @pytest.mark.parametrize("problem", ["unknown field `\0`", "unknown field `\ud800`"])
    def test_bytes_are_kept_whatever_is_said_of_them(self, store: QuarantineStore, problem: str) -> None:
        """What is said of them may hold what no database takes as text."""
        store.add(b"junk", origin="queue", problem=problem)

        assert [found.data for found in store.all()] == [b"junk"]

    def test_same_bytes_are_kept_once_and_counted(self, store: QuarantineStore, clock: FakeClock) -> None:
        """A broker delivers them again and again."""
        first = clock.microseconds()
        digest = store.add(b"junk", origin="queue", problem="bad")
        clock.advance(seconds=5)

        again = store.add(b"junk", origin="queue", problem="bad")

        [found] = store.all()
        assert again == digest
        assert (found.times, found.first_at, found.last_at) == (2, first, first + 5_000_000)

    def test_beginning_of_much_is_kept_with_its_whole_size(self, store: QuarantineStore) -> None:
        """The quarantine is not to fill the database."""
        data = b"x" * MAX_KEPT + b"tail"

        store.add(data, origin="queue", problem="bad")

        [found] = store.all()
        assert (found.size, found.data) == (MAX_KEPT + 4, b"x" * MAX_KEPT)

    def test_bytes_that_differ_beyond_what_is_kept_are_not_the_same(self, store: QuarantineStore) -> None:
        """The digest is of the whole."""
        store.add(b"x" * MAX_KEPT + b"one", origin="queue", problem="bad")
        store.add(b"x" * MAX_KEPT + b"two", origin="queue", problem="bad")

        assert len(store.all()) == 2

    def test_newest_stands_first(self, store: QuarantineStore, clock: FakeClock) -> None:
        """By when it last came."""
        for data in (b"one", b"two", b"one"):
            clock.advance(seconds=1)
            store.add(data, origin="queue", problem="bad")

        assert [found.data for found in store.all()] == [b"one", b"two"]

    def test_asking_does_not_wait_for_a_transaction(self, store: QuarantineStore, database: Database) -> None:
        """Questions take no lock."""
        store.add(b"junk", origin="queue", problem="bad")
        with database.write():
            assert len(store.all()) == 1

    def test_removing_says_whether_it_was_there(self, store: QuarantineStore) -> None:
        """And takes nothing else with it."""
        digest = store.add(b"one", origin="queue", problem="bad")
        store.add(b"two", origin="queue", problem="bad")

        assert store.remove(digest)
        assert not store.remove(digest)
        assert [found.data for found in store.all()] == [b"two"]
