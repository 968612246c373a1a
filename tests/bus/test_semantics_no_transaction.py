"""T07-T08: what a transactional listener does where no transaction runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bus import Database, EventBus, NoTransactionError, Phase, transactional_listener


@dataclass(frozen=True)
class StockChanged:
    sku: str = "ramen"


def noting(
    heard: list[str], name: str, phase: Phase = Phase.AFTER_COMMIT, *, fallback_execution: bool = False
) -> Callable[[StockChanged], None]:
    """Return a transactional listener that notes its name."""

    @transactional_listener(phase=phase, fallback_execution=fallback_execution)
    def note(event: StockChanged) -> None:
        heard.append(name)

    return note


@pytest.mark.parametrize("phase", Phase)
def test_t07_transactional_listener_without_transaction_is_an_error_that_names_it(bus: EventBus, phase: Phase) -> None:
    heard: list[str] = []
    (id,) = bus.subscribe(noting(heard, "heard", phase))

    with pytest.raises(NoTransactionError) as refused:
        bus.publish(StockChanged())

    assert id in str(refused.value)
    assert "fallback_execution=True" in str(refused.value)
    assert heard == []


@pytest.mark.parametrize("phase", Phase)
def test_t08_fallback_execution_runs_the_listener_at_once_without_transaction(bus: EventBus, phase: Phase) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "heard", phase, fallback_execution=True))

    bus.publish(StockChanged())

    assert heard == ["heard"]


@pytest.mark.parametrize("phase", Phase)
def test_t08_fallback_execution_warns_only_where_a_rollback_was_awaited(
    bus: EventBus, caplog: pytest.LogCaptureFixture, phase: Phase
) -> None:
    (id,) = bus.subscribe(noting([], "heard", phase, fallback_execution=True))

    bus.publish(StockChanged())

    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == (phase is Phase.AFTER_ROLLBACK)
    assert all(id in message for message in warned)


def test_t08_fallback_execution_waits_for_its_phase_inside_a_transaction(bus: EventBus, database: Database) -> None:
    heard: list[str] = []
    bus.subscribe(noting(heard, "heard", fallback_execution=True))

    with database.transaction():
        bus.publish(StockChanged())
        heard.append("body goes on")

    assert heard == ["body goes on", "heard"]
