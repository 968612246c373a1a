"""Scenario 12: many relays drain one outbox, and what they ask while there is nothing to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.testing import FakeClock
from tests.durable.belt import Belt, drained
from tests.durable.faults import until
from tests.durable.filling import owe
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop, executed

RELAYS, ROWS = 8, 20_000


@pytest.fixture
def shops(database_url: str, clock: FakeClock) -> Iterator[list[Shop]]:
    """The same shop so many times over, as in so many processes: they share nothing but the databases."""
    shops = [Shop(database_url, clock=clock) for _ in range(RELAYS)]
    yield shops
    for shop in shops:
        shop.close()


def test_scenario_12_each_of_many_rows_is_handed_over_once_by_many_relays(shops: list[Shop]) -> None:
    owe(shops[0].order, ROWS)

    with ThreadPoolExecutor(RELAYS) as processes:
        sent = Counter(id for some in processes.map(drained, shops) for id in some)

    assert (len(sent), set(sent.values())) == (ROWS, {1})
    assert shops[0].owed() == []


def test_scenario_12_look_of_an_idle_process_is_a_few_questions_and_no_transaction_that_writes(
    database_url: str, clock: FakeClock
) -> None:
    shop = Shop(database_url, clock=clock, modules=(ORDER, KITCHEN, BILL))
    shop.open_tickets()
    belt = Belt(shop)
    belt.settle()
    inbox = shop.inbox()

    with executed(shop.kitchen.read_engine) as questions, executed(shop.kitchen.engine) as writes:
        for _ in range(10):
            inbox.has_due()
            belt.relay.sweep()
    shop.close()

    assert writes == []
    # A pause, a run or a parked event, and something for each of three modules; with SQLite's BEGIN for each of three.
    assert 5 <= len(questions) / 10 <= 8


def looks(questions: list[str]) -> list[int]:
    """Return where each look begins."""
    return [place for place, question in enumerate(questions) if "bus_pause" in question]


def test_scenario_12_idle_process_asks_nothing_between_its_looks(shop: Shop) -> None:
    """From one look to the next but one, a second each, when the first is over, which also forgets what is old."""
    shop.open_tickets()
    shop.bus.drain()
    with executed(shop.order.read_engine) as questions:
        until(lambda: len(looks(questions)) == 2)

    with executed(shop.order.read_engine) as questions, executed(shop.order.engine) as writes:
        until(lambda: len(looks(questions)) == 3)
        first, _, third = looks(questions)[:3]

    assert writes == []
    # Two looks, and what is looked at every ten seconds.
    assert third - first <= 3 * 9
