from __future__ import annotations

import pytest

from bus import Database
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.testing import FakeClock
from bus.testing.contracts import OutboxStoreContract


class TestSqlAlchemyOutboxStore(OutboxStoreContract):
    @pytest.fixture
    def store(self, database: Database, clock: FakeClock) -> SqlAlchemyOutboxStore:
        return SqlAlchemyOutboxStore(database, clock)
