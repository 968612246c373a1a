"""Scenario 39: a listener that is slow, and the listeners of another module; `make prove` takes the times."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bus import module_listener
from bus.outbox.flow import LIMIT
from bus.testing import FakeClock
from tests.durable.faults import until
from tests.durable.shop import BILL, KITCHEN, ORDER, OwedSum, Shop


@pytest.fixture
def shop(database_url: str, clock: FakeClock) -> Iterator[Shop]:
    """A shop in which the bill listens too, and all of its workers stand still until the end of the test."""
    shop = Shop(database_url, clock=clock, modules=(ORDER, KITCHEN, BILL))
    may_end = threading.Event()

    @module_listener("bill.stand_still")
    def stand_still(event: OwedSum) -> None:
        may_end.wait(60)

    shop.listen(stand_still, module="bill")
    shop.open_tickets()
    yield shop
    may_end.set()
    shop.close()


@pytest.mark.parametrize("hundreds", [2, LIMIT // 100 + 2], ids=["with_room", "full"])
def test_scenario_39_listeners_of_another_module_complete_while_the_backlog_of_a_slow_one_grows(
    shop: Shop, hundreds: int
) -> None:
    shop.bus.start()

    for hundred in range(hundreds):
        shop.place(*range(100 * hundred, 100 * hundred + 100))
        until(lambda: len(shop.tickets()) == 100 * (hundred + 1))  # noqa: B023 - it is asked in this very turn

    assert shop.publications("bill") == []
    until(lambda: {row.target for row in shop.owed()} == {"bill"})
    assert len(shop.owed()) == 100 * hundreds
