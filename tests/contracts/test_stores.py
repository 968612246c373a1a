from __future__ import annotations

import pytest

from bus import Database
from bus.history.sqlalchemy import SqlAlchemyHistoryStore
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.sqlalchemy_dead_letters import SqlAlchemyDeadLetterStore
from bus.inbox.sqlalchemy_pauses import SqlAlchemyPauseStore
from bus.inbox.sqlalchemy_quarantine import SqlAlchemyQuarantineStore
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


class TestSqlAlchemyOutboxStore(OutboxStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)


class TestSqlAlchemyHistoryStore(HistoryStoreContract):
    @pytest.fixture
    def store(self, database: Database) -> SqlAlchemyHistoryStore:
        return SqlAlchemyHistoryStore(database)

    @pytest.fixture
    def outbox(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)


class TestSqlAlchemyInboxStore(InboxStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return SqlAlchemyInboxStore(database, clock)


class TestSqlAlchemyDeadLetterStore(DeadLetterStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyDeadLetterStore:
        return SqlAlchemyDeadLetterStore(database, clock)

    @pytest.fixture
    def inbox(self, database: Database, clock: FakeClock) -> SqlAlchemyInboxStore:
        return SqlAlchemyInboxStore(database, clock)


class TestSqlAlchemyPauseStore(PauseStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyPauseStore:
        return SqlAlchemyPauseStore(database, clock)


class TestSqlAlchemyQuarantineStore(QuarantineStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyQuarantineStore:
        return SqlAlchemyQuarantineStore(database, clock)
