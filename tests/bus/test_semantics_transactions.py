"""T01-T06, T09, T10, S11: listeners bound to the phases of one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy.exc import IntegrityError

from bus import Database, EventBus, Phase, listener, transactional_listener
from tests.bus.shop import add, lines, written


@dataclass(frozen=True)
class StockChanged:
    sku: str = "ramen"


class SoldOutError(Exception):
    pass


def noting(
    heard: list[str], name: str, phase: Phase = Phase.AFTER_COMMIT, order: int = 0
) -> Callable[[StockChanged], None]:
    """Return a transactional listener that notes its name."""

    @transactional_listener(phase=phase, order=order)
    def note(event: StockChanged) -> None:
        heard.append(name)

    return note


def failing(phase: Phase) -> Callable[[StockChanged], None]:
    """Return a transactional listener that raises in its phase, before the others of it."""

    @transactional_listener(phase=phase, order=-1)
    def fail(event: StockChanged) -> None:
        raise SoldOutError

    return fail


def note_every_phase(bus: EventBus, heard: list[str]) -> None:
    for phase in Phase:
        bus.subscribe(noting(heard, phase.value, phase))


def test_t01_plain_listener_runs_at_once_inside_the_transaction(bus: EventBus, database: Database) -> None:
    heard: list[str] = []

    @listener
    def write(event: StockChanged) -> None:
        heard.append(event.sku)
        add(database, event.sku)

    bus.subscribe(write)

    with database.transaction():
        bus.publish(StockChanged())
        heard.append("body goes on")

    assert heard == ["ramen", "body goes on"]
    assert written(database) == ["ramen"]


def test_t01_exception_of_a_plain_listener_rolls_the_transaction_back(bus: EventBus, database: Database) -> None:
    @listener
    def fail(event: StockChanged) -> None:
        raise SoldOutError

    bus.subscribe(fail)

    with pytest.raises(SoldOutError), database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert written(database) == []


def test_t02_transactional_listener_runs_once_and_after_the_commit(bus: EventBus, database: Database) -> None:
    seen: list[list[str]] = []

    @transactional_listener
    def look(event: StockChanged) -> None:
        seen.append(written(database))

    bus.subscribe(look)

    with database.transaction():
        bus.publish(StockChanged())
        add(database, "1")
        seen_before_commit = list(seen)

    assert seen_before_commit == []
    assert seen == [["1"]]


def test_t02_listener_of_one_transaction_does_not_run_after_the_next(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "heard"))

    with database.transaction():
        bus.publish(StockChanged())
    with database.transaction():
        add(database, "1")

    assert heard == ["heard"]


def test_t03_after_commit_listener_does_not_run_on_rollback_but_after_rollback(
    bus: EventBus, database: Database
) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "committed", Phase.AFTER_COMMIT))
    bus.subscribe(noting(heard, "rolled back", Phase.AFTER_ROLLBACK))

    with pytest.raises(SoldOutError), database.transaction():
        bus.publish(StockChanged())
        raise SoldOutError

    assert heard == ["rolled back"]


def test_t03_after_rollback_listener_does_not_run_on_commit(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "rolled back", Phase.AFTER_ROLLBACK))

    with database.transaction():
        bus.publish(StockChanged())

    assert heard == []


def test_t03_commit_that_the_database_refuses_is_a_rollback(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "committed", Phase.AFTER_COMMIT))
    bus.subscribe(noting(heard, "rolled back", Phase.AFTER_ROLLBACK))

    with pytest.raises(IntegrityError), database.transaction():
        bus.publish(StockChanged())
        add(database, "no such order", lines)

    assert heard == ["rolled back"]


def test_t04_after_completion_listener_runs_on_commit_and_on_rollback(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "completed", Phase.AFTER_COMPLETION))

    with database.transaction():
        bus.publish(StockChanged())
    after_commit = list(heard)
    with pytest.raises(SoldOutError), database.transaction():
        bus.publish(StockChanged())
        raise SoldOutError

    assert after_commit == ["completed"]
    assert heard == ["completed", "completed"]


def test_t05_before_commit_listener_runs_after_the_body_and_may_write(bus: EventBus, database: Database) -> None:
    heard: list[str] = []

    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def write(event: StockChanged) -> None:
        heard.append("before commit")
        add(database, "written before commit")

    bus.subscribe(write)

    with database.transaction():
        bus.publish(StockChanged())
        heard.append("body goes on")

    assert heard == ["body goes on", "before commit"]
    assert written(database) == ["written before commit"]


def test_t05_exception_before_commit_propagates_and_rolls_back(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(failing(Phase.BEFORE_COMMIT))
    note_every_phase(bus, heard)

    with pytest.raises(SoldOutError), database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert heard == ["after rollback", "after completion"]
    assert written(database) == []


def test_t05_before_commit_listener_does_not_run_where_the_body_fails(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "before commit", Phase.BEFORE_COMMIT))

    with pytest.raises(SoldOutError), database.transaction():
        bus.publish(StockChanged())
        raise SoldOutError

    assert heard == []


def test_t06_listeners_of_one_event_each_run_once_in_the_sequence_of_their_phases(
    bus: EventBus, database: Database
) -> None:
    heard: list[str] = []

    @listener
    def at_once(event: StockChanged) -> None:
        heard.append("at once")

    for phase in reversed(Phase):
        bus.subscribe(noting(heard, phase.value, phase))
    bus.subscribe(at_once)

    with database.transaction():
        bus.publish(StockChanged())

    assert heard == ["at once", "before commit", "after commit", "after completion"]


@pytest.mark.parametrize("phase", [Phase.AFTER_COMMIT, Phase.AFTER_COMPLETION])
def test_t09_exception_after_commit_is_logged_and_the_commit_stands(
    bus: EventBus, database: Database, caplog: pytest.LogCaptureFixture, phase: Phase
) -> None:
    heard: list[str] = []
    (id,) = bus.subscribe(failing(phase))
    note_every_phase(bus, heard)

    with database.transaction():
        add(database, "1")
        bus.publish(StockChanged())

    assert heard == ["before commit", "after commit", "after completion"]
    assert written(database) == ["1"]
    assert [record.levelname for record in caplog.records if id in record.getMessage()] == ["ERROR"]


def test_t09_exception_after_rollback_does_not_replace_what_failed(
    bus: EventBus, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    bus.subscribe(failing(Phase.AFTER_ROLLBACK))
    note_every_phase(bus, heard)

    with pytest.raises(KeyError), database.transaction():
        bus.publish(StockChanged())
        raise KeyError

    assert heard == ["after rollback", "after completion"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("phase", [Phase.BEFORE_COMMIT, Phase.AFTER_COMMIT, Phase.AFTER_COMPLETION])
def test_t10_lower_order_runs_first_within_a_phase(bus: EventBus, database: Database, phase: Phase) -> None:
    heard: list[str] = []
    for name, order in (("third", 3), ("first", 1), ("second", 2)):
        bus.subscribe(noting(heard, name, phase, order))

    with database.transaction():
        bus.publish(StockChanged())

    assert heard == ["first", "second", "third"]


@pytest.mark.parametrize("phase", [Phase.BEFORE_COMMIT, Phase.AFTER_COMMIT])
def test_t10_equal_order_keeps_the_order_of_publishing_within_a_phase(
    bus: EventBus, database: Database, phase: Phase
) -> None:
    heard: list[str] = []

    @transactional_listener(phase=phase)
    def first(event: StockChanged) -> None:
        heard.append(f"first: {event.sku}")

    @transactional_listener(phase=phase)
    def second(event: StockChanged) -> None:
        heard.append(f"second: {event.sku}")

    bus.subscribe(first)
    bus.subscribe(second)

    with database.transaction():
        bus.publish(StockChanged("ramen"))
        bus.publish(StockChanged("gyoza"))

    assert heard == ["first: ramen", "second: ramen", "first: gyoza", "second: gyoza"]


def test_s11_condition_works_on_a_transactional_listener(bus: EventBus, database: Database) -> None:
    heard: list[str] = []

    @transactional_listener(condition=lambda event: event.sku == "ramen")
    def note(event: StockChanged) -> None:
        heard.append(event.sku)

    bus.subscribe(note)

    with database.transaction():
        bus.publish(StockChanged("gyoza"))
        bus.publish(StockChanged("ramen"))

    assert heard == ["ramen"]
