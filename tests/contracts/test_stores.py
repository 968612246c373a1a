from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import pytest
from sqlalchemy import Table, select

from bus import Database, SystemClock
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.inbox.sqlalchemy import LEASE, SqlAlchemyInboxStore
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
from bus.inbox.views import Views
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.outbox.store import Owing
from bus.tables import bus_inbox, bus_outbox
from bus.testing import FakeClock
from bus.testing.contracts import (
    DeadLetterStoreContract,
    HistoryStoreContract,
    InboxStoreContract,
    OutboxStoreContract,
    PauseStoreContract,
    QuarantineStoreContract,
)
from bus.testing.contracts.outbox import Writer, ids
from bus.testing.contracts.publications import OPEN, Worker, failed, publication
from bus.testing.contracts.samples import sample
from tests.databases import ON_POSTGRESQL

T = TypeVar("T")

#: Seconds within which whoever waits for nobody has answered, however busy the machine is.
AT_ONCE = 10


class FiveMinutesAhead(SystemClock):
    """The clock of a machine that is wrong."""

    def microseconds(self) -> int:
        return super().microseconds() + 300_000_000


def answered(database: Database, table: Table, event_id: str, ask: Callable[[], T]) -> T:
    """Hold the row of an event, and return the answer that is given meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        with database.write() as connection:
            connection.execute(select(table).where(table.c.event_id == event_id).with_for_update())
            asked = thread.submit(ask)
            answers, _ = wait([asked], AT_ONCE)
        assert answers, "it waited for the row"
        return asked.result()


class OnBothDatabases:
    """The same promises, kept by the same code, on SQLite and on PostgreSQL."""

    @pytest.fixture
    def database(self, database_url: str) -> Iterator[Database]:
        database = Database("order", database_url.format(module="order"))
        database.create_tables()
        yield database
        database.close()


class TestSqlAlchemyOutboxStore(OnBothDatabases, OutboxStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)

    @ON_POSTGRESQL
    def test_claim_leaves_a_row_that_somebody_else_holds_and_does_not_wait(self, writer: Writer) -> None:
        writer.owe(1, 2)

        assert answered(writer.database, bus_outbox, sample(1).id, writer.claimed) == [2]

    @ON_POSTGRESQL
    def test_what_is_due_is_told_by_the_server_and_not_by_a_process_whose_clock_is_ahead(
        self, database: Database
    ) -> None:
        ahead = SqlAlchemyOutboxStore(database, FiveMinutesAhead())
        in_a_minute = [Owing("kitchen", sample(1).id, 60_000_000, 1)]

        with database.write() as connection:
            SqlAlchemyOutboxStore(database, SystemClock()).add(connection, [sample(1)], in_a_minute)

        assert ahead.due_targets(["kitchen"]) == []
        assert ahead.claim_again("kitchen", ids(1), 1) == []


class TestSqlAlchemyHistoryStore(OnBothDatabases, HistoryStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyHistoryStore:
        return SqlAlchemyHistoryStore(database, clock)

    @pytest.fixture
    def outbox(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)


class TestSqlAlchemyInboxStore(OnBothDatabases, InboxStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return SqlAlchemyInboxStore(database, clock, Views(lambda _name: ()))

    @ON_POSTGRESQL
    def test_claim_leaves_a_row_that_somebody_else_holds_and_does_not_wait(self, worker: Worker) -> None:
        for number in (1, 2):
            worker.store.record(publication(number), failed())

        found = answered(worker.database, bus_inbox, sample(1).id, lambda: worker.store.claim([OPEN]))

        assert found is not None
        assert found.envelope == sample(2)

    @ON_POSTGRESQL
    def test_run_that_holds_its_row_is_no_crash_and_looking_for_crashes_does_not_wait(self, worker: Worker) -> None:
        for number in (1, 2):
            worker.mark(publication(number))
        worker.clock.advance(microseconds=LEASE)

        found = answered(worker.database, bus_inbox, sample(1).id, lambda: worker.store.crashed([OPEN], 10))

        assert [each.envelope.id for each in found] == ids(2)

    @ON_POSTGRESQL
    def test_crash_is_told_by_the_server_and_not_by_a_process_whose_clock_is_ahead(self, database: Database) -> None:
        ahead, right = (
            SqlAlchemyInboxStore(database, clock, Views(lambda _name: ()))
            for clock in (FiveMinutesAhead(), SystemClock())
        )

        Worker(right, database, FakeClock()).mark(publication())

        assert ahead.crashed([OPEN], 10) == []


class TestSqlAlchemyDeadLetterStore(OnBothDatabases, DeadLetterStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyDeadLetterStore:
        return SqlAlchemyDeadLetterStore(database, clock)

    @pytest.fixture
    def inbox(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return SqlAlchemyInboxStore(database, clock, Views(lambda _name: ()))


class TestSqlAlchemyPauseStore(OnBothDatabases, PauseStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyPauseStore:
        return SqlAlchemyPauseStore(database, clock)


class TestSqlAlchemyQuarantineStore(OnBothDatabases, QuarantineStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyQuarantineStore:
        return SqlAlchemyQuarantineStore(database, clock)
