from __future__ import annotations

from collections.abc import Iterator

import pytest

from bus import Database
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
from bus.inbox.views import Views
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.testing import FakeClock
from bus.testing.contracts import (
    DeadLetterStoreContract,
    HistoryStoreContract,
    InboxStoreContract,
    OutboxStoreContract,
    PauseStoreContract,
    QuarantineStoreContract,
)


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
