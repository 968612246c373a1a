"""What an outbox store promises."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.database import Database
from bus.outbox.store import OutboxStore, Owing
from bus.testing.clock import FakeClock
from bus.testing.contracts.samples import StoreFixtures, sample

#: Seconds that pass at least between two looks whether something has come due.
STEP = 1


class Writer:
    """Writes into an outbox, a transaction at a time, and looks when something comes due."""

    def __init__(self, store: OutboxStore, database: Database, clock: FakeClock) -> None:
        self.store, self.database, self.clock = store, database, clock

    def owe(self, *numbers: int, target: str = "kitchen", due_in: int = 0, sends: int = 0) -> None:
        """Record events that are owed to a module, due in so many seconds."""
        owed = [Owing(target, sample(number).id, due_in * 1_000_000, sends) for number in numbers]
        with self.database.write() as connection:
            self.store.add(connection, [sample(number) for number in numbers], owed)

    def claimed(self, limit: int = 100, *, target: str = "kitchen") -> list[int]:
        """Claim, and return the numbers of what was claimed."""
        return [number_of(found.envelope.id) for found in self.store.claim(target, limit)]

    def seconds_until_due(self) -> int:
        """Move the clock on until something is due for the kitchen, and return by how much."""
        for seconds in range(0, 100_000, STEP):
            if self.store.due_targets(["kitchen"]):
                return seconds
            self.clock.advance(seconds=STEP)
        raise AssertionError("nothing comes due in a day")


def number_of(event_id: str) -> int:
    """Return the number of a sample from its id."""
    return int(event_id[:8], 16)


def ids(*numbers: int) -> list[str]:
    """Return the ids of samples."""
    return [sample(number).id for number in numbers]


class OutboxStoreContract(StoreFixtures):
    """Certifies a `bus.outbox.store.OutboxStore`; a subclass provides the fixture `store`."""

    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> OutboxStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    @pytest.fixture
    def writer(self, store: OutboxStore, database: Database, clock: FakeClock) -> Writer:
        """Return what writes into the store."""
        return Writer(store, database, clock)

    # What is added stands and falls with the transaction of the caller.

    def test_what_is_added_is_there_once_the_transaction_has_committed(self, writer: Writer) -> None:
        """The event in the history, and what is owed in the outbox."""
        writer.owe(1)

        assert writer.store.has(sample(1).id)
        assert [(owed.target, owed.count) for owed in writer.store.owed()] == [("kitchen", 1)]

    def test_what_is_added_is_gone_when_the_transaction_rolls_back(self, writer: Writer) -> None:
        """Adding commits nothing itself."""
        owed = [Owing("kitchen", sample(1).id, 0, 0)]
        with pytest.raises(ZeroDivisionError), writer.database.write() as connection:
            writer.store.add(connection, [sample(1)], owed)
            raise ZeroDivisionError

        assert not writer.store.has(sample(1).id)
        assert writer.store.owed() == []

    def test_nobody_sees_what_is_added_before_the_commit_and_asking_does_not_wait(self, writer: Writer) -> None:
        """Questions take no lock: they are answered while a transaction writes."""
        owed = [Owing("kitchen", sample(1).id, 0, 0)]
        with writer.database.write() as connection:
            writer.store.add(connection, [sample(1)], owed)

            assert writer.store.due_targets(["kitchen"]) == []
            assert writer.store.owed() == []

    def test_event_that_is_owed_to_nobody_stands_in_the_history(self, writer: Writer) -> None:
        """Whoever listens later may want it."""
        with writer.database.write() as connection:
            writer.store.add(connection, [sample(1)], [])

        assert writer.store.has(sample(1).id)
        assert writer.store.owed() == []

    # Claims.

    def test_claimed_envelope_is_the_one_that_was_added(self, writer: Writer) -> None:
        """Every field of it."""
        writer.owe(1, 2)

        assert [found.envelope for found in writer.store.claim("kitchen", 10)] == [sample(1), sample(2)]

    def test_claim_takes_the_oldest_first(self, writer: Writer) -> None:
        """The one that has been due longest, whichever was written first."""
        writer.owe(1, due_in=-1)
        writer.owe(2, due_in=-3)
        writer.owe(3, due_in=-2)

        assert [writer.claimed(1), writer.claimed(1), writer.claimed(1)] == [[2], [3], [1]]

    def test_claim_keeps_the_order_of_the_history(self, writer: Writer) -> None:
        """What came due together is sent in the order in which it was published."""
        writer.owe(1, 2)
        writer.owe(3, 4)

        assert writer.claimed() == [1, 2, 3, 4]

    def test_claim_takes_no_more_than_its_limit(self, writer: Writer) -> None:
        """The flow control has no more places."""
        writer.owe(1, 2, 3)

        assert len(writer.claimed(2)) == 2
        assert len(writer.claimed(2)) == 1

    def test_claimed_envelope_is_not_claimed_again_before_it_is_due_again(self, writer: Writer) -> None:
        """It is on its way."""
        writer.owe(1)
        writer.claimed()

        assert writer.claimed() == []
        assert writer.store.due_targets(["kitchen"]) == []

    def test_no_two_of_many_threads_claim_the_same_envelope(self, writer: Writer) -> None:
        """Relays of several processes drain one outbox."""
        writer.owe(*range(100))

        with ThreadPoolExecutor(8) as threads:
            taken = [number for some in threads.map(lambda _: writer.claimed(7), range(24)) for number in some]

        assert sorted(taken) == list(range(100))

    def test_what_is_not_due_is_not_claimed(self, writer: Writer) -> None:
        """It was sent just now, by whoever has committed it."""
        writer.owe(1, due_in=10, sends=1)

        assert writer.claimed() == []

    def test_claim_leaves_what_is_owed_to_another_module(self, writer: Writer) -> None:
        """A module that is away delays nobody else."""
        writer.owe(1, target="bill")

        assert writer.claimed() == []
        assert writer.claimed(target="bill") == [1]

    def test_claim_counts_the_sends(self, writer: Writer) -> None:
        """This one included, and the one that followed the commit."""
        writer.owe(1)
        writer.owe(2, sends=1)

        assert [found.sends for found in writer.store.claim("kitchen", 10)] == [1, 2]

    def test_interval_until_the_next_send_doubles_with_each_send(self, writer: Writer) -> None:
        """What stays away is asked less and less often."""
        writer.owe(1)
        intervals = []

        for _ in range(5):
            assert writer.claimed() == [1]
            intervals.append(writer.seconds_until_due())

        assert intervals[0] > 0
        assert intervals == [intervals[0] << doublings for doublings in range(5)]

    # Once more.

    def test_what_was_sent_and_is_due_again_is_claimed_by_its_id(self, writer: Writer) -> None:
        """Without a place for it: it has one still. What nobody asks for is left, however long it has been due."""
        writer.owe(1, 2, due_in=-5, sends=1)
        writer.owe(3, due_in=5, sends=1)

        again = writer.store.claim_again("kitchen", ids(2, 3), 10)

        assert [(found.envelope, found.sends) for found in again] == [(sample(2), 2)]
        assert writer.claimed() == [1]

    def test_claim_by_id_takes_no_more_than_its_limit_and_leaves_other_modules(self, writer: Writer) -> None:
        """One is enough to see whether a module is back."""
        writer.owe(1, 2)
        writer.owe(3, target="bill")

        again = writer.store.claim_again("kitchen", ids(1, 2, 3), 1)

        assert len(again) == 1
        assert writer.claimed(target="bill") == [3]

    # Who has something to be sent.

    def test_due_targets_are_the_modules_among_those_asked_for_to_which_something_is_due(self, writer: Writer) -> None:
        """Neither the others nor those to which something is due later."""
        writer.owe(1, target="kitchen")
        writer.owe(2, target="bill", due_in=10)
        writer.owe(3, target="cellar")

        assert writer.store.due_targets(["bill", "garden", "kitchen"]) == ["kitchen"]

    # More time.

    def test_postponed_envelope_is_due_after_one_more_first_interval(self, writer: Writer) -> None:
        """Its sends are not counted up: it was not sent."""
        writer.owe(1)
        writer.claimed()
        first_interval = writer.seconds_until_due()

        writer.store.postpone("kitchen", ids(1))

        assert writer.seconds_until_due() == first_interval
        assert [found.sends for found in writer.store.claim("kitchen", 1)] == [2]

    def test_postponing_leaves_alone_what_is_not_due(self, writer: Writer) -> None:
        """It has its time already."""
        writer.owe(1, due_in=2)

        writer.store.postpone("kitchen", ids(1))

        assert writer.seconds_until_due() == 2

    def test_postponing_leaves_others_alone(self, writer: Writer) -> None:
        """Other events, and other modules."""
        writer.owe(1, 2)
        writer.owe(3, target="bill")

        writer.store.postpone("kitchen", ids(1, 3))

        assert (writer.claimed(), writer.claimed(target="bill")) == ([2], [3])

    # Acknowledgements.

    def test_what_is_acknowledged_is_owed_no_longer(self, writer: Writer) -> None:
        """Each of the pairs, and nothing but them."""
        writer.owe(1, 2, 3)

        writer.store.acknowledge(("kitchen", id) for id in ids(1, 2))

        assert writer.claimed() == [3]

    def test_acknowledged_event_stays_in_the_history(self, writer: Writer) -> None:
        """The history is append-only."""
        writer.owe(1)

        writer.store.acknowledge([("kitchen", sample(1).id)])

        assert writer.store.has(sample(1).id)
        assert writer.store.owed() == []

    def test_acknowledgement_of_one_module_settles_nothing_with_another(self, writer: Writer) -> None:
        """Each of them has to have it."""
        owed = [Owing(target, sample(1).id, 0, 0) for target in ("kitchen", "bill")]
        with writer.database.write() as connection:
            writer.store.add(connection, [sample(1)], owed)

        writer.store.acknowledge([("kitchen", sample(1).id)])

        assert [found.target for found in writer.store.owed()] == ["bill"]

    @pytest.mark.parametrize("received", [[("kitchen", "unknown")], [("kitchen", sample(1).id)] * 2, []])
    def test_acknowledgement_may_be_repeated_or_concern_nothing(
        self, writer: Writer, received: Iterable[tuple[str, str]]
    ) -> None:
        """It is idempotent."""
        writer.owe(1, 2)
        writer.store.acknowledge([("kitchen", sample(1).id)])

        writer.store.acknowledge(received)

        assert writer.claimed() == [2]

    # Sends that did not happen.

    def test_released_envelope_is_due_at_once_and_its_send_not_counted(self, writer: Writer) -> None:
        """It was never begun."""
        writer.owe(1)
        writer.claimed()

        writer.store.release("kitchen", ids(1))

        assert [found.sends for found in writer.store.claim("kitchen", 1)] == [1]

    def test_release_leaves_others_alone(self, writer: Writer) -> None:
        """They are on their way still."""
        writer.owe(1, 2)
        writer.claimed()

        writer.store.release("kitchen", ids(1))

        assert writer.claimed() == [1]

    def test_release_brings_back_nothing_that_was_acknowledged(self, writer: Writer) -> None:
        """An acknowledgement is final."""
        writer.owe(1)
        writer.claimed()
        writer.store.acknowledge([("kitchen", sample(1).id)])

        writer.store.release("kitchen", ids(1))

        assert writer.store.owed() == []

    # What another process has heard of.

    def test_still_owed_is_what_was_not_acknowledged_by_that_module(self, writer: Writer) -> None:
        """Of these events alone, sent or not."""
        writer.owe(1, 2, 3)
        writer.owe(4, target="bill")
        writer.claimed()
        writer.store.acknowledge([("kitchen", sample(2).id)])

        assert writer.store.still_owed("kitchen", ids(1, 2, 4)) == set(ids(1))

    # What an operator sees.

    def test_owed_tells_count_and_age_by_target(self, writer: Writer) -> None:
        """Sorted by target; the age is that of the oldest event."""
        writer.owe(2, 3, target="kitchen")
        writer.owe(1, target="bill", due_in=10)
        age = (writer.clock.microseconds() - sample(2).time) / 1e6

        bill, kitchen = writer.store.owed()

        assert (bill.target, bill.count) == ("bill", 1)
        assert (kitchen.target, kitchen.count) == ("kitchen", 2)
        assert kitchen.oldest_seconds == pytest.approx(age)
