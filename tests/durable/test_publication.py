from __future__ import annotations

from contextlib import suppress
from threading import Event

import pytest
from sqlalchemy import insert
from sqlalchemy.event import listen
from sqlalchemy.exc import IntegrityError

from bus import (
    NoTransactionError,
    PayloadTooLargeError,
    Phase,
    RollbackOnlyError,
    module_listener,
    transactional_listener,
)
from bus.clock import to_microseconds
from bus.outbox.sqlalchemy import FIRST_INTERVAL
from bus.testing import FakeClock
from tests.durable.belt import Belt
from tests.durable.shop import (
    Order,
    OrderCancelled,
    OrderPlaced,
    Shop,
    Ticket,
    TicketOpened,
    WantedDish,
    placed,
    statements,
    written_to,
)

TOO_LARGE = "x" * 300_000


def test_scenario_01_commit_brings_data_event_and_what_is_owed_together(shop: Shop) -> None:
    shop.place(1)

    assert shop.orders() == [1]
    assert [(row.name, row.key) for row in shop.history()] == [("order.placed", "1")]
    assert [(row.target, row.event_id) for row in shop.owed()] == [("kitchen", shop.history()[0].id)]


def test_scenario_01_nothing_is_visible_before_the_commit(shop: Shop) -> None:
    with shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))

        assert shop.history() == []
        assert shop.owed() == []


def test_scenario_02_exception_leaves_neither_data_nor_event(shop: Shop) -> None:
    with pytest.raises(ValueError, match="changed her mind"), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))
        raise ValueError("changed her mind")

    assert (shop.orders(), shop.history(), shop.owed()) == ([], [], [])


def test_scenario_02_event_of_a_rolled_back_savepoint_is_dropped_with_it(shop: Shop) -> None:
    with shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))
        with pytest.raises(ValueError, match="no"), shop.order.savepoint():
            shop.bus.publish(OrderPlaced(2))
            raise ValueError("no")
        shop.bus.publish(OrderPlaced(3))

    assert [row.key for row in shop.history()] == ["1", "3"]


def test_scenario_02_row_of_a_statement_in_a_rolled_back_savepoint_is_gone_with_its_event(shop: Shop) -> None:
    with shop.order.transaction():
        shop.order.connection.execute(insert(Order).values(id=1, note=""))
        with suppress(ValueError), shop.order.savepoint():
            shop.order.connection.execute(insert(Order).values(id=2, note=""))
            shop.bus.publish(OrderPlaced(2))
            raise ValueError("no")

    assert (shop.orders(), shop.history()) == ([1], [])


def test_scenario_02_event_of_a_savepoint_whose_flush_failed_is_dropped_with_it(shop: Shop) -> None:
    shop.place(1)

    with shop.order.transaction() as unit:
        with suppress(IntegrityError), shop.order.savepoint():
            shop.bus.publish(OrderPlaced(2))
            unit.session.add(Order(id=1, note="again"))
            unit.session.flush()
        shop.bus.publish(OrderPlaced(3))

    assert [row.key for row in shop.history()] == ["1", "3"]


def test_scenario_02_event_of_a_rolled_back_savepoint_of_the_connection_is_dropped_with_it(shop: Shop) -> None:
    with shop.order.transaction():
        savepoint = shop.order.connection.begin_nested()
        shop.bus.publish(OrderPlaced(1))
        savepoint.rollback()
        shop.bus.publish(OrderPlaced(2))

    assert [row.key for row in shop.history()] == ["2"]


def test_event_of_a_released_savepoint_is_dropped_with_the_one_around_it(shop: Shop) -> None:
    with shop.order.transaction():
        with pytest.raises(ValueError, match="no"), shop.order.savepoint():
            with shop.order.savepoint():
                shop.bus.publish(OrderPlaced(1))
            raise ValueError("no")
        shop.bus.publish(OrderPlaced(2))

    assert [row.key for row in shop.history()] == ["2"]


def test_swallowed_failure_of_a_joined_block_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(RollbackOnlyError), shop.order.transaction():
        with pytest.raises(ValueError, match="no"), shop.order.transaction():
            shop.bus.publish(OrderPlaced(1))
            raise ValueError("no")

    assert (shop.history(), shop.owed()) == ([], [])


def test_scenario_06_event_without_subscriber_is_recorded_and_owed_to_nobody(shop: Shop) -> None:
    with shop.order.transaction():
        shop.bus.publish(OrderCancelled(1))

    assert [row.name for row in shop.history()] == ["order.cancelled"]
    assert shop.owed() == []


def test_scenario_05_two_equal_events_complete_independently(shop: Shop) -> None:
    shop.open_tickets()
    with shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))
        shop.bus.publish(OrderPlaced(1))

    shop.bus.drain()

    assert shop.tickets() == [1, 1]
    assert len({row.event_id for row in shop.publications()}) == 2


def test_scenario_07_publishing_outside_a_unit_of_work_is_refused_and_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(NoTransactionError, match="transaction"):
        shop.bus.publish(OrderPlaced(1))

    assert (shop.history(), shop.owed()) == ([], [])


def test_scenario_02_rolled_back_transaction_wakes_nobody_and_hands_nothing_over(shop: Shop, belt: Belt) -> None:
    belt.settle()

    with pytest.raises(ValueError, match="no"), shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))
        raise ValueError("no")

    assert (belt.sent, belt.wakes, belt.flow.on_their_way()) == ([], 0, 0)


def test_scenario_07_what_a_listener_publishes_commits_with_its_effects(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))

    shop.listen(open_ticket)
    shop.inbox().receive(placed(7), 1)

    assert shop.tickets() == [7]
    assert [row.key for row in shop.history("kitchen")] == ["7"]
    assert [row.target for row in shop.owed("kitchen")] == ["order"]


def test_scenario_07_listener_that_publishes_and_then_fails_leaves_no_event(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))
        raise ValueError("no dough")

    shop.listen(open_ticket)
    shop.inbox().receive(placed(), 1)

    assert (shop.tickets(), shop.history("kitchen"), shop.owed("kitchen")) == ([], [], [])


def test_first_event_is_its_own_correlation_and_has_no_cause(shop: Shop) -> None:
    shop.place(1)

    [row] = shop.history()
    assert row.correlation_id == row.id
    assert row.causation_id is None


def test_event_of_a_listener_names_its_cause_and_the_story_that_it_belongs_to(shop: Shop) -> None:
    @module_listener("kitchen.answer")
    def answer(event: WantedDish) -> None:
        shop.bus.publish(TicketOpened(event.order_id))

    shop.listen(answer)
    cause = placed()
    shop.inbox().receive(cause, 1)

    [row] = shop.history("kitchen")
    assert row.causation_id == cause.id
    assert row.correlation_id == cause.correlationid


def test_row_is_born_due_while_the_runtime_does_not_run(shop: Shop, clock: FakeClock) -> None:
    shop.place(1)

    [row] = shop.owed()
    assert (row.due_at, row.sends) == (to_microseconds(clock.now()), 0)


def test_row_is_born_due_at_its_second_send_while_the_runtime_runs(shop: Shop, clock: FakeClock) -> None:
    held, release = Event(), Event()

    @module_listener("kitchen.hold")
    def hold(event: WantedDish) -> None:
        if event.order_id == 2:
            held.set()
            release.wait(10)

    shop.listen(hold)
    shop.place(1)
    shop.bus.drain()
    shop.place(2)
    held.wait(10)
    [row] = shop.owed()
    release.set()

    assert (row.due_at, row.sends) == (to_microseconds(clock.now()) + FIRST_INTERVAL, 1)


def test_scenario_41_too_large_payload_is_refused_and_the_transaction_goes_on(shop: Shop) -> None:
    with shop.order.transaction() as unit:
        with pytest.raises(PayloadTooLargeError, match=r"'order.placed' is 300,\d+ bytes"):
            shop.bus.publish(OrderPlaced(1, note=TOO_LARGE))
        unit.session.add(Order(id=2, note=""))
        shop.bus.publish(OrderPlaced(2))

    assert shop.orders() == [2]
    assert [row.key for row in shop.history()] == ["2"]
    assert len(shop.owed()) == 1


def test_scenario_41_too_large_payload_that_nobody_catches_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(PayloadTooLargeError), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1, note=TOO_LARGE))

    assert (shop.orders(), shop.history(), shop.owed()) == ([], [], [])


def test_fifty_events_take_one_insert_for_each_table(shop: Shop) -> None:
    with statements(shop.order) as seen, shop.order.transaction():
        for number in range(50):
            shop.bus.publish(OrderPlaced(number))

    assert written_to(seen) == ["bus_event", "bus_outbox"]
    assert len(seen) == (1 if shop.order.is_postgresql else 3)
    assert len(shop.owed()) == 50


def test_hand_over_takes_no_query_of_the_publishers_database(shop: Shop) -> None:
    held, release = Event(), Event()

    @module_listener("kitchen.hold")
    def hold(event: WantedDish) -> None:
        if event.order_id == 2:
            held.set()
            release.wait(10)

    shop.listen(hold)
    shop.place(1)
    shop.bus.drain()
    with statements(shop.order) as seen:
        shop.place(2)
        held.wait(10)
    release.set()

    assert not [statement for statement in seen if statement.startswith(("UPDATE", "SELECT"))]


def test_t12_event_that_a_flush_publishes_reaches_before_commit_listeners(shop: Shop) -> None:
    heard: list[int] = []

    @transactional_listener(phase=Phase.BEFORE_COMMIT)
    def hear(event: OrderPlaced) -> None:
        heard.append(event.order_id)

    shop.bus.module("order").subscribe(hear)

    with shop.order.transaction() as unit:
        listen(unit.session, "after_flush", lambda *_: shop.bus.publish(OrderPlaced(1)))
        unit.session.add(Order(id=1, note=""))

    assert heard == [1]
    assert len(shop.history()) == 1


def test_event_that_is_published_during_the_commit_is_refused_and_all_of_it_rolls_back(shop: Shop) -> None:
    with pytest.raises(NoTransactionError, match="too late"), shop.order.transaction() as unit:
        unit.session.add(Order(id=1, note=""))
        shop.bus.publish(OrderPlaced(1))
        listen(unit.session, "before_commit", lambda _session: shop.bus.publish(OrderPlaced(2)))

    assert (shop.orders(), shop.history(), shop.owed()) == ([], [], [])
