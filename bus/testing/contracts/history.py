"""What a history store promises."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from bus.database import Database
from bus.envelope import Envelope
from bus.history.store import BEGINNING, HistoryStore, RecordedEvent
from bus.outbox.store import OutboxStore, Owing
from bus.testing.clock import FakeClock
from bus.testing.contracts.samples import StoreFixtures, sample


class Press:
    """Publishes into the history."""

    def __init__(self, outbox: OutboxStore, database: Database) -> None:
        self.outbox, self.database = outbox, database

    def publish(self, *envelopes: Envelope, owed_to: tuple[str, ...] = ()) -> None:
        """Record events in one transaction."""
        owed = [Owing(target, envelope.id, 0, 0) for envelope in envelopes for target in owed_to]
        with self.database.write() as connection:
            self.outbox.add(connection, list(envelopes), owed)


def settled(store: HistoryStore) -> HistoryStore:
    """Wait until nothing is held back, were it by somebody else on the same server, and return the store."""
    never = threading.Event()
    for _ in range(3000):
        if store.held_back() is None:
            return store
        never.wait(0.01)
    raise AssertionError("a transaction holds the history back for half a minute")


def told(found: list[RecordedEvent]) -> list[Envelope]:
    """Return the events without their places."""
    return [event.envelope for event in found]


class HistoryStoreContract(StoreFixtures):
    """Certifies a `bus.history.store.HistoryStore`; a subclass provides the fixtures `store` and `outbox`."""

    @pytest.fixture
    def store(self, database: Database) -> HistoryStore:
        """Return the store; nothing is in it."""
        raise NotImplementedError("the subclass provides the fixture `store`")

    @pytest.fixture
    def outbox(self, database: Database, clock: FakeClock) -> OutboxStore:
        """Return the outbox store that writes the same history."""
        raise NotImplementedError("the subclass provides the fixture `outbox`")

    @pytest.fixture
    def press(self, outbox: OutboxStore, database: Database) -> Press:
        """Return what publishes."""
        return Press(outbox, database)

    def test_event_is_told_as_it_was_published(self, store: HistoryStore, press: Press) -> None:
        """Every field of it."""
        press.publish(sample(1), sample(2))

        assert told(store.last(10)) == [sample(1), sample(2)]

    def test_positions_rise_in_the_order_of_publishing(self, store: HistoryStore, press: Press) -> None:
        """Whatever the ids and times are."""
        press.publish(sample(3), sample(1))
        press.publish(sample(2))

        positions = [event.position for event in store.last(10)]

        assert positions == sorted(set(positions))
        assert told(store.last(10)) == [sample(3), sample(1), sample(2)]

    def test_last_events_are_told_oldest_first_up_to_the_limit(self, store: HistoryStore, press: Press) -> None:
        """The end of the history, not its beginning."""
        press.publish(*(sample(number) for number in range(5)))

        assert told(store.last(2)) == [sample(3), sample(4)]

    def test_last_events_of_one_name(self, store: HistoryStore, press: Press) -> None:
        """The limit counts those alone."""
        press.publish(sample(1), replace(sample(2), type="order.cancelled"), sample(3))

        assert told(store.last(1, name="order.cancelled")) == [replace(sample(2), type="order.cancelled")]
        assert told(store.last(10, name="order.placed")) == [sample(1), sample(3)]

    def test_events_that_follow_a_place_are_told_oldest_first(self, store: HistoryStore, press: Press) -> None:
        """So a reader goes on where it was, and misses nothing."""
        press.publish(*(sample(number) for number in range(5)))
        second = settled(store).last(5)[1].place

        assert told(store.following(second, 2)) == [sample(2), sample(3)]
        assert told(store.following(BEGINNING, 100)) == [sample(number) for number in range(5)]
        assert store.following(store.end(), 100) == []

    def test_events_of_one_name_that_follow_a_place(self, store: HistoryStore, press: Press) -> None:
        """The limit counts those alone."""
        other = replace(sample(2), type="order.cancelled")
        press.publish(sample(1), other, sample(3))

        assert told(settled(store).following(BEGINNING, 1, name="order.cancelled")) == [other]

    def test_scenario_29_late_commit_is_skipped_by_no_reader(self, store: HistoryStore, press: Press) -> None:
        """Where two transactions write side by side, the one with the lower positions may commit second."""
        told_of: list[Envelope] = []

        def read_on() -> None:
            for found in store.following(reader[0], 100):
                told_of.append(found.envelope)
                reader[0] = found.place

        reader = [store.end()]
        with ThreadPoolExecutor(1) as thread:
            with press.database.write() as connection:
                press.outbox.add(connection, [sample(1)], [])
                second = thread.submit(press.publish, sample(2))
                with suppress(TimeoutError):
                    second.result(timeout=0.2)
                read_on()
            second.result()
        settled(store)
        read_on()

        assert sorted(told_of, key=lambda envelope: envelope.id) == [sample(1), sample(2)]

    def test_reader_who_begins_at_the_end_is_told_what_comes_later(self, store: HistoryStore, press: Press) -> None:
        """And nothing of before."""
        press.publish(sample(1))
        end = settled(store).end()
        press.publish(sample(2))

        assert told(settled(store).following(end, 10)) == [sample(2)]

    def test_nothing_is_held_back_when_every_transaction_has_ended(self, store: HistoryStore, press: Press) -> None:
        """Otherwise it tells for how long."""
        press.publish(sample(1))

        assert settled(store).held_back() is None

    def test_event_tells_who_has_not_acknowledged_it(self, store: HistoryStore, press: Press) -> None:
        """And no longer who has."""
        press.publish(sample(1), owed_to=("kitchen", "bill"))
        press.publish(sample(2))
        before = [set(event.owed_to) for event in store.last(10)]

        press.outbox.acknowledge([("kitchen", sample(1).id)])

        assert before == [{"kitchen", "bill"}, set()]
        assert [event.owed_to for event in store.last(10)] == [("bill",), ()]

    def test_story_is_told_in_the_order_of_the_history(self, store: HistoryStore, press: Press) -> None:
        """Every event that one first event has caused in this module, and no other."""
        effect = replace(sample(2), correlationid=sample(1).correlationid)
        press.publish(sample(1), sample(3), effect)

        assert told(store.of_story(sample(1).correlationid)) == [sample(1), effect]
        assert store.of_story("unheard of") == []

    def test_story_is_found_by_the_beginning_of_an_id(self, store: HistoryStore, press: Press) -> None:
        """Of one of its events."""
        press.publish(sample(1), sample(2))

        assert told(store.beginning_with(sample(2).id[:10], 10)) == [sample(2)]

    def test_story_is_found_by_the_beginning_of_its_own_id(self, store: HistoryStore, press: Press) -> None:
        """Its first event here stands for it."""
        effect = replace(sample(2), correlationid=sample(1).correlationid)
        press.publish(sample(1), effect, sample(3))

        assert told(store.beginning_with(sample(1).correlationid, 10)) == [sample(1)]

    def test_each_story_is_found_once_up_to_the_limit(self, store: HistoryStore, press: Press) -> None:
        """In the order of the history."""
        press.publish(*(sample(number) for number in (3, 1, 2)))

        assert told(store.beginning_with("0000", 10)) == [sample(3), sample(1), sample(2)]
        assert len(store.beginning_with("0000", 2)) == 2

    @pytest.mark.parametrize("prefix", ["%", "_", "0%", "\\", "\uffff"])
    def test_beginning_of_an_id_is_no_pattern(self, store: HistoryStore, press: Press, prefix: str) -> None:
        """It is taken literally."""
        press.publish(sample(1))

        assert store.beginning_with(prefix, 10) == []

    def test_nobody_reads_before_the_commit_and_reading_does_not_wait(self, store: HistoryStore, press: Press) -> None:
        """Reading takes no lock."""
        with press.database.write() as connection:
            press.outbox.add(connection, [sample(1)], [])

            assert store.last(10) == []
