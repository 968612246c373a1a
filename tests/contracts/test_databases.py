"""What a module's database promises to whatever works in it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.event import listen

from bus import Database, EventBus, transactional_listener

ROOT = Path(__file__).parents[2]


class Changed:
    """An event of an application."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database("order", database_url.format(module="order"))
    yield database
    database.close()


def test_connection_is_back_in_its_pool_before_anybody_hears_of_the_commit(database: Database) -> None:
    bus, seen = EventBus(), list[str]()
    listen(database.engine, "checkin", lambda *_: seen.append("given back"))

    @transactional_listener
    def hear(event: Changed) -> None:
        seen.append("heard")

    bus.subscribe(hear)
    with database.transaction() as unit:
        unit.session.connection()
        bus.publish(Changed())

    assert seen == ["given back", "heard"]


def test_forked_child_is_never_given_a_connection_of_its_parent(database_url: str) -> None:
    url = database_url.format(module="order")

    ended = subprocess.run([sys.executable, "-m", "tests.contracts.forking", url], cwd=ROOT, timeout=60, check=False)

    assert ended.returncode == 0
