from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bus import Database
from bus.inbox.sqlalchemy import SqlAlchemyInboxStore
from bus.inbox.views import Views
from bus.outbox.sqlalchemy import SqlAlchemyOutboxStore
from bus.testing import FakeClock
from tests.simulation.inbox_machine import InboxMachine
from tests.simulation.outbox_machine import OutboxMachine

#: A deliberate fault has to be found, and not to be made small.
PHASES = [Phase.generate] if "BUS_FAULT" in os.environ else [Phase.generate, Phase.shrink]

SETTINGS = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database("order", database_url.format(module="order"))
    database.create_tables()
    yield database
    database.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_outbox_keeps_what_a_plain_model_of_it_would(database: Database, clock: FakeClock) -> None:
    store = SqlAlchemyOutboxStore(database, clock)

    class Machine(OutboxMachine):
        def __init__(self) -> None:
            super().__init__(database, store, clock)

    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_inbox_keeps_what_a_plain_model_of_it_would(database: Database, clock: FakeClock) -> None:
    store = SqlAlchemyInboxStore(database, clock, Views(lambda _name: ()))

    class Machine(InboxMachine):
        def __init__(self) -> None:
            super().__init__(database, store, clock)

    run_state_machine_as_test(Machine, settings=SETTINGS)
