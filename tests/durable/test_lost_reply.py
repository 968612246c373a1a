"""T03: the reply to COMMIT is lost, and the outcome is looked up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bus import Phase, transactional_listener
from tests.durable.faults import IO_ERROR, driver_error
from tests.durable.shop import Order, OrderPlaced, Shop


@pytest.fixture
def phases(shop: Shop) -> list[str]:
    """Return the phases that run for an event that is published in the shop."""
    heard: list[str] = []
    for phase in (Phase.AFTER_COMMIT, Phase.AFTER_ROLLBACK, Phase.AFTER_COMPLETION):
        shop.bus.module("order").subscribe(heard_in(phase, heard))
    return heard


def heard_in(phase: Phase, heard: list[str]) -> Callable[[OrderPlaced], None]:
    @transactional_listener(phase=phase)
    def hear(event: OrderPlaced) -> None:
        heard.append(phase.value)

    return hear


def lose_reply(shop: Shop, monkeypatch: pytest.MonkeyPatch, *, commits: bool) -> None:
    """Make the next COMMIT fail, after it has come about or instead of it."""
    dialect: Any = shop.order.engine.dialect
    real = dialect.do_commit

    def fail(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", real)
        if commits:
            real(connection)
        raise driver_error(shop.order, IO_ERROR)

    monkeypatch.setattr(dialect, "do_commit", fail)


def test_t03_commit_that_came_about_counts_though_its_reply_was_lost(
    shop: Shop, phases: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose_reply(shop, monkeypatch, commits=True)

    with caplog.at_level(logging.WARNING), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))

    assert phases == ["after commit", "after completion"]
    assert shop.orders() == [1]
    assert "was found to have come about" in caplog.text


def test_t03_commit_that_did_not_come_about_is_a_rollback(
    shop: Shop, phases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_reply(shop, monkeypatch, commits=False)

    with pytest.raises(OperationalError), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))

    assert phases == ["after rollback", "after completion"]
    assert (shop.orders(), shop.history(), shop.owed()) == ([], [], [])


def test_t03_outcome_that_nobody_can_look_up_runs_after_completion_only(
    shop: Shop, phases: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(connection: Any) -> None:
        for engine in (shop.order.engine, shop.order.read_engine):
            monkeypatch.setattr(engine, "connect", lambda *_: None)
        raise KeyboardInterrupt

    monkeypatch.setattr(shop.order.engine.dialect, "do_commit", interrupt)
    with caplog.at_level(logging.CRITICAL), pytest.raises(KeyboardInterrupt), shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))

    assert phases == ["after completion"]


def test_t03_delivery_goes_on_after_a_lost_reply(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open_tickets()
    shop.bus.start()
    shop.bus.drain()
    lose_reply(shop, monkeypatch, commits=True)

    shop.place(1)
    shop.bus.drain()

    assert shop.tickets() == [1]
