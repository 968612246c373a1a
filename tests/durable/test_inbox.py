from __future__ import annotations

import asyncio
import contextlib
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import insert, text
from sqlalchemy.event import listen
from sqlalchemy.exc import IntegrityError

from bus import (
    Delivery,
    LostPublicationError,
    RetryAfter,
    RollbackOnlyError,
    TransactionControlError,
    current_delivery,
    module_listener,
)
from bus.clock import to_microseconds
from bus.failpoint import arm
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication, Trouble
from bus.testing import FakeClock
from tests.databases import ON_POSTGRESQL
from tests.durable.faults import dead_letters, failing_listener
from tests.durable.shop import Shop, Ticket, TicketOpened, WantedDish, placed, statements, written_to

FAILED = Outcome(
    State.RETRYING, Reason.FAILED, due_in=0, failures=1, crashes=0, trouble=Trouble("E", "E: no", None, None)
)

CRASHED = Outcome(State.RETRYING, Reason.CRASHED, due_in=0, failures=0, crashes=0)


class Longest(random.Random):
    """Randomness at its upper end."""

    def randint(self, a: int, b: int) -> int:
        return b


def test_listener_runs_once_and_its_publication_is_completed(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()

    shop.inbox().receive(placed(7), 1)

    [row] = shop.publications()
    assert shop.tickets() == [7]
    assert (row.listener, row.event_id, row.state) == ("kitchen.open_ticket", "event-7", "completed")
    assert (row.due_at, row.envelope, row.error) == (to_microseconds(clock.now()), None, None)


def test_completing_statement_is_the_last_before_the_commit(shop: Shop) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))

    shop.listen(open_ticket)
    statements_before_commits: list[int] = []
    with statements(shop.kitchen) as seen:
        listen(shop.kitchen.engine, "commit", lambda _connection: statements_before_commits.append(len(seen)))
        shop.inbox().receive(placed(), 1)

    assert written_to(seen) == ["bus_inbox", "tickets", "bus_event", "bus_outbox", "bus_inbox"]
    assert statements_before_commits == [len(seen)]


@pytest.mark.parametrize("sends", [1, 2])
def test_second_delivery_of_an_event_runs_nothing(shop: Shop, sends: int) -> None:
    shop.open_tickets()
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)

    inbox.receive(placed(7), sends)

    assert shop.tickets() == [7]
    assert shop.failures.errors == []


def test_failing_listener_leaves_its_publication_retrying(shop: Shop) -> None:
    shop.listen(failing_listener(shop, failures=1))

    shop.inbox().receive(placed(), 1)

    [row] = shop.publications()
    assert shop.tickets() == []
    assert (row.state, row.reason, row.starts, row.failures) == ("retrying", "failed", 1, 1)
    assert row.error == "ValueError: no dough"
    assert row.envelope is not None


@pytest.mark.parametrize("seed", range(5))
def test_scenario_19_failed_publication_is_due_within_the_bound_of_its_backoff(
    shop: Shop, clock: FakeClock, seed: int
) -> None:
    shop.listen(failing_listener(shop, failures=1))

    shop.inbox(random.Random(seed)).receive(placed(), 1)

    [row] = shop.publications()
    assert 0 <= row.due_at - to_microseconds(clock.now()) <= 1_000_000


def test_scenario_18_failed_publication_is_not_run_before_it_is_due(shop: Shop) -> None:
    shop.listen(failing_listener(shop, failures=1))
    inbox = shop.inbox()
    inbox.receive(placed(), 1)

    assert not inbox.has_due()
    assert not inbox.run_due()


def test_bound_of_the_backoff_doubles_with_each_failure_up_to_ten_minutes(shop: Shop, clock: FakeClock) -> None:
    shop.listen(failing_listener(shop, failures=99))
    inbox = shop.inbox(Longest())
    inbox.receive(placed(), 1)
    delays = []

    for _ in range(12):
        [row] = shop.publications()
        delays.append(row.due_at - to_microseconds(clock.now()))
        clock.advance(microseconds=delays[-1])
        inbox.run_due()

    [row] = shop.publications()
    assert (row.starts, row.failures) == (13, 13)
    assert delays == [min(1_000_000 << failures, 600_000_000) for failures in range(12)]


def test_scenario_20_sibling_of_a_failing_listener_completes_once_and_is_not_run_again(
    shop: Shop, clock: FakeClock
) -> None:
    shop.listen(failing_listener(shop, failures=2))
    shop.open_tickets()
    inbox = shop.inbox()

    inbox.receive(placed(7), 1)
    states = shop.states()
    clock.advance(hours=1)
    inbox.receive(placed(7), 2)
    inbox.run_due()

    assert states == {"kitchen.fail": "retrying", "kitchen.open_ticket": "completed"}
    assert shop.tickets() == [7]


def test_retry_that_succeeds_completes_the_publication_and_drops_its_envelope(shop: Shop, clock: FakeClock) -> None:
    shop.listen(failing_listener(shop, failures=1))
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)

    clock.advance(seconds=2)
    has_run = inbox.run_due()

    [row] = shop.publications()
    assert has_run
    assert shop.tickets() == [7]
    assert (row.state, row.reason, row.starts, row.failures, row.envelope) == ("completed", None, 2, 1, None)


def test_completed_publication_is_never_due_again(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    inbox = shop.inbox()
    inbox.receive(placed(), 1)

    clock.advance(days=1)

    assert not inbox.has_due()
    assert not inbox.run_due()


def test_late_failure_does_not_undo_what_somebody_else_has_completed(shop: Shop) -> None:
    shop.open_tickets()
    shop.inbox().receive(placed(7), 1)

    is_recorded = shop.inbox_store.record(Publication("kitchen.open_ticket", placed(7)), FAILED)

    assert not is_recorded
    assert shop.states() == {"kitchen.open_ticket": "completed"}
    assert dead_letters(shop).attempts("kitchen.open_ticket", "event-7") == []


@ON_POSTGRESQL
def test_zombie_whose_publication_was_completed_meanwhile_writes_nothing(shop: Shop, clock: FakeClock) -> None:
    shop.open_tickets()
    zombie, heir = shop.inbox(), shop.inbox()

    def take_over() -> None:
        clock.advance(minutes=1)
        with ThreadPoolExecutor(1) as another:
            another.submit(heir.run_due).result()

    with arm("inbox.after_mark", take_over):
        zombie.receive(placed(7), 2)

    assert shop.tickets() == [7]
    assert shop.states() == {"kitchen.open_ticket": "completed"}


def test_run_whose_row_is_gone_at_its_end_is_rolled_back(shop: Shop) -> None:
    @module_listener("kitchen.forget")
    def forget(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.kitchen.session.execute(text("DELETE FROM bus_inbox"))

    shop.listen(forget)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert [type(error) for error in shop.failures.errors] == [LostPublicationError]
    assert shop.states() == {"kitchen.forget": "retrying"}


def test_run_whose_row_was_changed_at_its_end_is_rolled_back(shop: Shop) -> None:
    @module_listener("kitchen.meddle")
    def meddle(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.kitchen.session.execute(text("UPDATE bus_inbox SET state = 'dead'"))

    shop.listen(meddle)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert shop.states() == {"kitchen.meddle": "retrying"}


def test_scenario_07_listener_that_swallows_an_error_of_a_flush_has_failed(shop: Shop) -> None:
    @module_listener("kitchen.swallow")
    def swallow(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(number=1, order_id=event.order_id))
        shop.kitchen.session.flush()
        shop.kitchen.session.add(Ticket(number=2, order_id=None))
        with contextlib.suppress(IntegrityError):
            shop.kitchen.session.flush()

    shop.listen(swallow)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert shop.states() == {"kitchen.swallow": "retrying"}


def test_scenario_07_listener_that_swallows_an_error_of_a_statement_has_failed(shop: Shop) -> None:
    @module_listener("kitchen.swallow")
    def swallow(event: WantedDish) -> None:
        shop.kitchen.session.execute(insert(Ticket).values(number=1, order_id=event.order_id))
        with contextlib.suppress(IntegrityError):
            shop.kitchen.session.execute(insert(Ticket).values(number=1, order_id=event.order_id))

    shop.listen(swallow)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert shop.states() == {"kitchen.swallow": "retrying"}


def test_database_error_inside_a_savepoint_may_be_handled(shop: Shop) -> None:
    @module_listener("kitchen.handle")
    def handle(event: WantedDish) -> None:
        shop.kitchen.session.execute(insert(Ticket).values(number=1, order_id=event.order_id))
        with contextlib.suppress(IntegrityError), shop.kitchen.savepoint():
            shop.kitchen.session.execute(insert(Ticket).values(number=1, order_id=event.order_id))

    shop.listen(handle)
    shop.inbox().receive(placed(7), 1)

    assert shop.tickets() == [7]
    assert shop.states() == {"kitchen.handle": "completed"}


def test_listener_that_swallows_the_failure_of_a_service_has_failed(shop: Shop) -> None:
    @module_listener("kitchen.swallow")
    def swallow(event: WantedDish) -> None:
        with contextlib.suppress(ValueError), shop.kitchen.transaction() as unit:
            unit.session.add(Ticket(order_id=event.order_id))
            raise ValueError("no")

    shop.listen(swallow)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert [type(error) for error in shop.failures.errors] == [RollbackOnlyError]


@pytest.mark.parametrize("told", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_scenario_15_cancelled_listener_is_never_completed(shop: Shop, told: type[BaseException]) -> None:
    @module_listener("kitchen.leave")
    def leave(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        raise told

    shop.listen(leave)
    shop.inbox().receive(placed(), 1)

    assert shop.tickets() == []
    assert shop.states() == {"kitchen.leave": "retrying"}


def test_unreadable_payload_is_a_failure_that_shows_no_data(shop: Shop) -> None:
    shop.open_tickets()

    shop.inbox().receive(replace(placed(), data=b'{"order_id":"secret"}'), 1)

    [row] = shop.publications()
    assert row.state == "retrying"
    assert "order_id" in row.error
    assert "secret" not in row.error


@pytest.mark.parametrize("action", ["commit", "rollback", "close"])
def test_listener_cannot_end_its_transaction(shop: Shop, action: str) -> None:
    refusals: list[str] = []

    @module_listener("kitchen.end")
    def end(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        with pytest.raises(TransactionControlError) as refusal:
            getattr(shop.kitchen.session, action)()
        refusals.append(str(refusal.value))

    shop.listen(end)
    shop.inbox().receive(placed(7), 1)

    assert refusals[0].startswith(f"{action}() inside a unit of work of 'kitchen'")
    assert shop.tickets() == [7]


def test_current_delivery_tells_the_ids_and_the_same_key_at_each_run(shop: Shop, clock: FakeClock) -> None:
    deliveries: list[Delivery | None] = []

    @module_listener("kitchen.look")
    def look(event: WantedDish) -> None:
        deliveries.append(current_delivery())
        if len(deliveries) == 1:
            raise ValueError("again")

    shop.listen(look)
    inbox = shop.inbox()
    inbox.receive(placed(7), 1)
    clock.advance(seconds=2)
    inbox.run_due()

    first, second = filter(None, deliveries)
    assert (first.event_id, first.listener_id) == ("event-7", "kitchen.look")
    assert first.correlation_id == "story-of-event-7"
    assert first.idempotency_key == second.idempotency_key == "kitchen.look:event-7"
    assert (first.attempt, second.attempt) == (1, 2)
    assert current_delivery() is None


def test_run_after_one_that_asked_to_wait_is_the_second_attempt(shop: Shop, clock: FakeClock) -> None:
    attempts: list[int] = []

    @module_listener("kitchen.wait")
    def wait(event: WantedDish) -> None:
        delivery = current_delivery()
        assert delivery is not None
        attempts.append(delivery.attempt)
        if len(attempts) == 1:
            raise RetryAfter(5)

    shop.listen(wait)
    inbox = shop.inbox()
    inbox.receive(placed(), 1)
    clock.advance(seconds=5)
    inbox.run_due()

    assert attempts == [1, 2]
