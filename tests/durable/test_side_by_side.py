"""Several processes on one PostgreSQL database: what one of them does, the others leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest
from sqlalchemy import text

from bus import SystemClock, module_listener
from bus.database_errors import DatabaseTrouble, database_trouble
from bus.errors import PublicationHeldError
from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import State
from bus.inbox.store import Publication
from bus.postgresql import POOL_OVERFLOW, POOL_RESERVE
from bus.testing import FakeClock
from tests.databases import ON_POSTGRESQL
from tests.durable.faults import dead_letters
from tests.durable.shop import Shop, Ticket, WantedDish, placed

pytestmark = ON_POSTGRESQL


class Meeting:
    """A listener that stands in the middle of its run until it is let go."""

    def __init__(self, shop: Shop) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()

        @module_listener("kitchen.meet")
        def meet(event: WantedDish) -> None:
            shop.kitchen.session.add(Ticket(order_id=event.order_id))
            self.began.set()
            self.may_end.wait(20)

        shop.listen(meet)


class FiveMinutesAhead(SystemClock):
    """The clock of a machine that is wrong."""

    def microseconds(self) -> int:
        return super().microseconds() + 300_000_000


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_scenario_11_listener_that_runs_elsewhere_is_left_and_its_siblings_run(
    shop: Shop, thread: ThreadPoolExecutor
) -> None:
    meeting = Meeting(shop)
    first = thread.submit(shop.inbox().receive, placed(7), 1)
    meeting.began.wait(10)
    shop.open_tickets()

    with pytest.raises(PublicationHeldError):
        shop.inbox().receive(placed(7), 2)

    seen_meanwhile = shop.states()
    meeting.may_end.set()
    first.result()
    assert seen_meanwhile == {"kitchen.open_ticket": "completed"}
    assert sorted(shop.tickets()) == [7, 7]
    assert shop.states() == {"kitchen.meet": "completed", "kitchen.open_ticket": "completed"}


def test_event_is_not_acknowledged_while_its_listener_runs_elsewhere(shop: Shop, thread: ThreadPoolExecutor) -> None:
    meeting = Meeting(shop)
    first = thread.submit(shop.inbox().receive, placed(7), 1)
    meeting.began.wait(10)

    with pytest.raises(PublicationHeldError):
        shop.inbox().receive(placed(7), 2)
    meeting.may_end.set()
    first.result()

    shop.inbox().receive(placed(7), 3)
    assert shop.tickets() == [7]


def test_repeated_send_is_acknowledged_while_a_run_that_was_marked_goes_on(
    shop: Shop, thread: ThreadPoolExecutor
) -> None:
    meeting = Meeting(shop)
    first = thread.submit(shop.inbox().receive, placed(7), 2)
    meeting.began.wait(10)

    second = thread.submit(shop.inbox().receive, placed(7), 3)
    done, _ = wait([second], timeout=10)
    meeting.may_end.set()
    first.result()

    assert done == {second}
    assert second.exception() is None
    assert shop.tickets() == [7]


def test_scenario_11_long_listener_is_no_crash_while_it_lives(
    shop: Shop, clock: FakeClock, thread: ThreadPoolExecutor
) -> None:
    meeting = Meeting(shop)
    first = thread.submit(shop.inbox().receive, placed(7), 2)
    meeting.began.wait(10)

    clock.advance(microseconds=10 * LEASE)
    was_something_due = shop.inbox().run_due()
    meeting.may_end.set()
    first.result()

    assert not was_something_due
    assert [(row.state, row.crashes) for row in shop.publications()] == [("completed", 0)]


def test_operator_waits_for_no_listener(shop: Shop, clock: FakeClock, thread: ThreadPoolExecutor) -> None:
    meeting = Meeting(shop)
    first = thread.submit(shop.inbox().receive, placed(7), 2)
    meeting.began.wait(10)
    clock.advance(microseconds=10 * LEASE)

    discarded = dead_letters(shop).discard(PublicationQuery(state=State.RETRYING), who="Ada", why="it takes too long")
    meeting.may_end.set()
    first.result()

    assert discarded == 0
    assert shop.states() == {"kitchen.meet": "completed"}


def test_scenario_28_clock_that_is_ahead_takes_over_nothing_and_runs_nothing_early(database_url: str) -> None:
    ahead, right = Shop(database_url, clock=FiveMinutesAhead()), Shop(database_url, clock=SystemClock())
    right.place(1)
    right.outboxes["order"].claim("kitchen", 10)
    right.mark(Publication("kitchen.open_ticket", placed(2)))
    for shop in (ahead, right):
        shop.open_tickets()

    early = (
        ahead.outboxes["order"].due_targets(["kitchen"]),
        ahead.outboxes["order"].claim("kitchen", 10),
        ahead.inbox_store.crashed(["kitchen.open_ticket"], 10),
        ahead.inbox().run_due(),
    )
    for shop in (ahead, right):
        shop.close()

    assert early == ([], [], [], False)


def test_scenario_28_clock_that_is_ahead_writes_no_time_of_its_own(database_url: str) -> None:
    ahead, right = Shop(database_url, clock=FiveMinutesAhead()), Shop(database_url, clock=SystemClock())

    ahead.place(1)
    ahead.mark(Publication("kitchen.open_ticket", placed(2)))
    ahead.outboxes["order"].claim("kitchen", 10)
    [owed], [marked] = right.owed(), right.publications()
    for shop in (ahead, right):
        shop.close()

    in_five_minutes = SystemClock().microseconds() + 300_000_000
    assert owed.due_at < in_five_minutes
    assert marked.due_at < in_five_minutes


def test_connection_that_the_server_has_closed_is_replaced_unseen(shop: Shop) -> None:
    with shop.order.write() as connection:
        gone = connection.scalar(text("SELECT pg_backend_pid()"))
    with shop.kitchen.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": gone})

    shop.place(1)

    assert shop.orders() == [1]


def test_connection_that_ends_in_the_middle_is_an_outage_and_not_a_failure(shop: Shop) -> None:
    with pytest.raises(Exception) as ended, shop.order.transaction() as unit:  # noqa: PT011 - its kind is the question
        pid = unit.session.scalar(text("SELECT pg_backend_pid()"))
        with shop.kitchen.write() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        unit.session.execute(text("SELECT 1"))

    assert database_trouble(ended.value) is DatabaseTrouble.AWAY
    assert shop.order.takes_writes()


def test_pool_holds_what_workers_relay_and_requests_need(database_url: str) -> None:
    shop = Shop(database_url, workers=7)
    pool = shop.order.engine.pool
    shop.close()

    assert (pool.size(), pool._max_overflow) == (7 + POOL_RESERVE, POOL_OVERFLOW)  # type: ignore[attr-defined]
    assert shop.order.read_engine.pool.size() == 7 + POOL_RESERVE  # type: ignore[attr-defined]


def test_t03_commit_that_the_server_is_still_busy_with_is_waited_for(shop: Shop, thread: ThreadPoolExecutor) -> None:
    with shop.order.write() as connection:
        shop.outboxes["order"].add(connection, [placed(7)], [])
        asked = thread.submit(shop.outboxes["order"].has, "event-7")
        with suppress(TimeoutError):
            asked.result(timeout=0.2)

    assert asked.result()
    assert not shop.outboxes["order"].has("event-8")
    assert [row.id for row in shop.history()] == ["event-7"]
