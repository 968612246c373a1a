"""Listeners that turn on the bus, and processes that get in one another's way: nothing is lost, doubled or stranded."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from bus import BusError, SystemClock, TransactionControlError, module_listener, operations_of
from bus.hosting import Surroundings, host
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.retention import RETENTION
from bus.inbox.solitude import Solitude
from bus.inbox.state import Reason, State
from bus.testing import FakeClock
from tests.durable.faults import PATIENT, Raising, pass_time
from tests.durable.shop import (
    Answer,
    OpenedTicket,
    OrderPlaced,
    Shop,
    Ticket,
    TicketOpened,
    Undelayed,
    WantedDish,
    placed,
)

ROOT = Path(__file__).parents[2]


def test_listener_that_stops_the_bus_has_failed_and_the_bus_goes_on(shop: Shop) -> None:
    @module_listener("kitchen.stop_once")
    def stop_once(event: WantedDish) -> None:
        if not shop.publications():
            shop.bus.stop()

    shop.listen(stop_once)
    shop.place(1)

    shop.bus.drain()

    assert [type(error) for error in shop.failures.errors] == [BusError]
    assert shop.states() == {"kitchen.stop_once": "completed"}


@pytest.mark.parametrize("action", ["pause", "resume", "redeliver", "discard", "forget"])
def test_listener_that_operates_on_its_own_module_is_refused_at_once(shop: Shop, action: str) -> None:
    operations, query = operations_of(shop.bus), PublicationQuery()
    actions: dict[str, Callable[[], object]] = {
        "pause": lambda: operations.pause("kitchen", duration=None, who="it", why="self"),
        "resume": lambda: operations.resume("kitchen"),
        "redeliver": lambda: operations.redeliver(query, who="it"),
        "discard": lambda: operations.discard(query, who="it", why="self"),
        "forget": lambda: operations.forget(RETENTION),
    }

    @module_listener("kitchen.operate", retry=PATIENT)
    def operate(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        actions[action]()

    shop.listen(operate)
    shop.inbox().receive(placed(), 1)

    assert [type(error) for error in shop.failures.errors] == [TransactionControlError]
    assert (shop.tickets(), shop.states()) == ([], {"kitchen.operate": "retrying"})


def test_listener_may_pause_another_module(shop: Shop) -> None:
    @module_listener("kitchen.pause_order")
    def pause_order(event: WantedDish) -> None:
        operations_of(shop.bus).pause("order", duration=None, who="kitchen", why="too much")

    shop.listen(pause_order)
    shop.inbox().receive(placed(), 1)

    assert [pause.target for pause in operations_of(shop.bus).pauses()] == ["order"]
    assert shop.states() == {"kitchen.pause_order": "completed"}


def test_listener_that_publishes_thousands_of_events_strands_none(shop: Shop) -> None:
    @module_listener("kitchen.flood")
    def flood(event: WantedDish) -> None:
        for number in range(3000):
            shop.bus.publish(TicketOpened(number))

    shop.listen(flood)
    shop.place(1)
    shop.bus.drain(timeout=100)

    assert sorted(int(row.key) for row in shop.history("kitchen")) == list(range(3000))
    assert (shop.states(), shop.owed("kitchen")) == ({"kitchen.flood": "completed"}, [])


def test_listener_of_two_events_has_a_publication_for_each(shop: Shop, clock: FakeClock) -> None:
    heard: list[str] = []

    @module_listener("order.hear")
    def hear(event: OpenedTicket | OrderPlaced) -> None:
        heard.append(type(event).__name__)
        if heard.count(heard[-1]) == 1:
            raise ValueError("again")

    shop.listen(hear, module="order")
    around = Surroundings(shop.bus, Solitude(), Undelayed(), RETENTION)
    inbox = host("order", shop.order, around).inbox
    shop.open_ticket(1)
    with shop.order.transaction():
        shop.bus.publish(OrderPlaced(1))
    shop.bus.drain()
    pass_time(inbox, clock)

    assert sorted(heard) == ["OpenedTicket", "OpenedTicket", "OrderPlaced", "OrderPlaced"]
    assert {row.state for row in shop.publications("order")} == {"completed"}


def test_listener_that_fails_only_at_its_commit_is_retried_and_keeps_its_module_working(
    shop: Shop, clock: FakeClock
) -> None:
    with shop.kitchen.write() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE plates (ticket INTEGER REFERENCES tickets(number) DEFERRABLE INITIALLY DEFERRED)"
        )

    @module_listener("kitchen.plate", retry=PATIENT)
    def plate(event: WantedDish) -> None:
        shop.kitchen.session.execute(text("INSERT INTO plates VALUES (1)"))

    shop.listen(plate)
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    [row] = shop.publications()
    with shop.kitchen.transaction() as unit:
        unit.session.add(Ticket(number=1, order_id=7))
    pass_time(inbox, clock)

    assert (row.state, row.reason, row.failures, row.error_type) == ("retrying", "failed", 1, "IntegrityError")
    assert shop.states() == {"kitchen.plate": "completed"}


def test_inboxes_that_race_for_retries_and_deliveries_run_each_once(shop: Shop, clock: FakeClock) -> None:
    listener = Raising(shop, *[ValueError("no dough")] * 50)
    inboxes = [shop.inbox() for _ in range(4)]

    def deliver(number: int) -> None:
        for inbox in inboxes:
            inbox.receive(placed(number), 1 + number % 2)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(50)))
        clock.advance(hours=1)
        list(pool.map(lambda number: inboxes[number % 4].run_due(), range(200)))

    assert sorted(shop.tickets()) == list(range(50))
    assert len(listener.runs) == 100
    assert {row.state for row in shop.publications()} == {"completed"}


def test_two_processes_on_one_file_run_each_publication_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path, clock=SystemClock())
    shop.place(*range(20))
    command = [sys.executable, "-m", "tests.durable.draining", str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0], errors
    assert sorted(shop.tickets()) == list(range(20))
    assert {(row.state, row.failures) for row in shop.publications()} == {("completed", 1)}
    shop.close()


def test_event_that_is_redelivered_while_it_is_sent_again_runs_once(shop: Shop, clock: FakeClock) -> None:
    Raising(shop, ValueError("no"), retry=PATIENT)
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    operations_of(shop.bus).discard(PublicationQuery(state=State.RETRYING), who="ann", why="test")
    operations_of(shop.bus).redeliver(PublicationQuery(reason=Reason.DISCARDED), who="ann")
    together = threading.Barrier(2)

    def send() -> None:
        together.wait(10)
        inbox.receive(placed(7), 2)

    thread = threading.Thread(target=send)
    thread.start()
    together.wait(10)
    inbox.run_due()
    thread.join(10)

    assert shop.tickets() == [7]


def test_answers_and_tickets_agree_where_both_modules_fail_half_of_the_time(shop: Shop) -> None:
    # In turn one event might fail each time, beside another one that is well each time.
    chance = Random(0)

    @module_listener("kitchen.open_ticket", retry=PATIENT)
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))
        if chance.random() < 0.5:
            raise ValueError("no dough")

    @module_listener("order.note_ticket", retry=PATIENT)
    def note_ticket(event: OpenedTicket) -> None:
        shop.order.session.add(Answer(order_id=event.order_id))
        shop.order.session.flush()
        if chance.random() < 0.5:
            raise SystemExit(1)

    shop.listen(open_ticket)
    shop.listen(note_ticket, module="order")
    shop.place(*range(40))
    shop.bus.drain()

    assert sorted(shop.tickets()) == sorted(shop.answers()) == list(range(40))
