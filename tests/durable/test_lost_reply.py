"""T03 and scenario 13: the reply to COMMIT is lost, and the outcome is looked up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bus import Database, Phase, module_listener, transactional_listener
from bus.testing import FakeClock
from tests.databases import ON_POSTGRESQL, ON_SQLITE
from tests.durable.faults import IO_ERROR, PATIENT, SERIALIZATION_FAILURE, driver_error, pass_time, refused_commits
from tests.durable.shop import Order, OrderPlaced, Shop, Ticket, TicketOpened, WantedDish, placed
from tests.durable.wire import Wire, wired


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


def lose_reply(database: Database, monkeypatch: pytest.MonkeyPatch, *, commits: bool) -> None:
    """Make the next COMMIT of a database fail, after it has come about or instead of it."""
    dialect: Any = database.engine.dialect
    real = dialect.do_commit

    def fail(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", real)
        if commits:
            real(connection)
        raise driver_error(database, IO_ERROR)

    monkeypatch.setattr(dialect, "do_commit", fail)


def test_t03_commit_that_came_about_counts_though_its_reply_was_lost(
    shop: Shop, phases: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lose_reply(shop.order, monkeypatch, commits=True)

    with caplog.at_level(logging.WARNING), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))

    assert phases == ["after commit", "after completion"]
    assert shop.orders() == [1]
    assert "was found to have come about" in caplog.text


@ON_SQLITE
def test_t03_commit_that_did_not_come_about_is_a_rollback(
    shop: Shop, phases: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_reply(shop.order, monkeypatch, commits=False)

    with pytest.raises(OperationalError), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))

    assert phases == ["after rollback", "after completion"]
    assert (shop.orders(), shop.history(), shop.owed()) == ([], [], [])


@ON_POSTGRESQL
def test_t03_commit_that_the_server_refuses_is_a_rollback(shop: Shop, phases: list[str]) -> None:
    with refused_commits(shop.order, "orders", SERIALIZATION_FAILURE, times=1):
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
    lose_reply(shop.order, monkeypatch, commits=True)

    shop.place(1)
    shop.bus.drain()

    assert shop.tickets() == [1]


# On PostgreSQL a COMMIT that never arrives is the wire's to lose, below: what comes after it is not sent.
@pytest.mark.parametrize("publishes", [True, False])
@pytest.mark.parametrize(
    ("database_url", "commits"),
    [("sqlite", True), ("sqlite", False), ("postgresql", True)],
    indirect=["database_url"],
)
def test_scenario_13_listener_the_reply_to_whose_commit_is_lost_has_its_effects_once(
    shop: Shop, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, commits: bool, publishes: bool
) -> None:
    inbox, seen = shop.inbox(), []

    @module_listener("kitchen.open_ticket", retry=PATIENT)
    def open_ticket(event: WantedDish) -> None:
        seen.append(event.order_id)
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        if publishes:
            shop.bus.publish(TicketOpened(event.order_id))
        if len(seen) == 1:
            lose_reply(shop.kitchen, monkeypatch, commits=commits)

    shop.listen(open_ticket)
    inbox.receive(placed(1), 1)
    pass_time(inbox, clock)

    assert (shop.tickets(), len(shop.history("kitchen"))) == ([1], int(publishes))
    assert seen == ([1] if commits else [1, 1])
    assert [row.state for row in shop.publications()] == ["completed"]


@pytest.fixture
def wire(postgresql_url: str) -> Iterator[Wire]:
    with wired(postgresql_url) as found:
        yield found


@pytest.fixture
def wired_shop(wire: Wire, clock: FakeClock) -> Iterator[Shop]:
    shop = Shop(wire.url, clock=clock, workers=1)
    yield shop
    shop.close()


def test_scenario_13_order_whose_commit_arrived_before_the_connection_broke_is_delivered(
    wired_shop: Shop, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wired_shop.open_tickets()

    with wired_shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        wired_shop.bus.publish(OrderPlaced(1))
        wire.cut(unit.session.connection(), arrives=True)

    wired_shop.bus.drain()
    assert "was found to have come about" in caplog.text
    assert wired_shop.orders() == wired_shop.tickets() == [1]


def test_scenario_13_order_whose_commit_never_arrived_is_rolled_back_and_delivered_to_nobody(
    wired_shop: Shop, wire: Wire
) -> None:
    wired_shop.open_tickets()

    with pytest.raises(OperationalError), wired_shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        wired_shop.bus.publish(OrderPlaced(1))
        wire.cut(unit.session.connection(), arrives=False)

    wired_shop.bus.drain()
    assert (wired_shop.orders(), wired_shop.history(), wired_shop.tickets()) == ([], [], [])


@pytest.mark.parametrize(("arrives", "runs"), [(True, 1), (False, 2)])
def test_scenario_13_listener_whose_connection_breaks_in_its_commit_has_its_effects_once(
    wired_shop: Shop, wire: Wire, arrives: bool, runs: int
) -> None:
    seen: list[int] = []

    @module_listener("kitchen.open_ticket", retry=PATIENT)
    def open_ticket(event: WantedDish) -> None:
        seen.append(event.order_id)
        wired_shop.kitchen.session.add(Ticket(order_id=event.order_id))
        if len(seen) == 1:
            wire.cut(wired_shop.kitchen.connection, arrives=arrives)

    wired_shop.listen(open_ticket)
    wired_shop.place(1)
    wired_shop.bus.drain()

    assert wired_shop.tickets() == [1]
    assert seen == [1] * runs
    assert [row.state for row in wired_shop.publications()] == ["completed"]
