"""What the kitchen does with what it hears, in whatever sequence it hears it."""

from __future__ import annotations

from itertools import permutations

import pytest

from bus.testing import ModuleUnderTest
from modules.kitchen.contract import (
    AcceptedLine,
    OrderAccepted,
    OrderCancelled,
    TicketOpened,
    TicketRefused,
)


def accepted(order_id: str = "o-1") -> OrderAccepted:
    return OrderAccepted(order_id, (AcceptedLine("Ramen", 2),))


def cancelled(order_id: str = "o-1") -> OrderCancelled:
    return OrderCancelled(order_id)


def statuses(kitchen: ModuleUnderTest) -> list[str]:
    return [ticket["status"] for ticket in kitchen.container.reader().oldest(100)]


def test_accepted_order_gets_a_ticket(kitchen: ModuleUnderTest) -> None:
    kitchen.hear(accepted())

    (ticket,) = kitchen.container.reader().oldest(10)
    assert (ticket["order_id"], ticket["status"]) == ("o-1", "open")
    assert ticket["lines"] == [{"name": "Ramen", "quantity": 2}]
    assert kitchen.published == [TicketOpened("o-1", str(ticket["ticket_id"]))]


@pytest.mark.parametrize("news", sorted(set(permutations(["accepted", "accepted", "cancelled", "cancelled"]))))
def test_cancelled_order_is_never_cooked(kitchen: ModuleUnderTest, news: tuple[str, ...]) -> None:
    for piece in news:
        kitchen.hear(accepted() if piece == "accepted" else cancelled())

    assert statuses(kitchen) == (["void"] if news[0] == "accepted" else [])


def test_order_is_refused_when_the_kitchen_is_full(kitchen: ModuleUnderTest) -> None:
    kitchen.container.room().resize(1)

    kitchen.hear(accepted("o-1"))
    kitchen.hear(accepted("o-2"))

    assert kitchen.published[1:] == [TicketRefused("o-2", "kitchen_full")]
    assert statuses(kitchen) == ["open"]


def test_cooking_ticket_takes_up_room_and_a_void_one_does_not(kitchen: ModuleUnderTest) -> None:
    kitchen.container.room().resize(1)
    kitchen.hear(accepted("o-1"))
    kitchen.container.stove().start(kitchen.events.one(TicketOpened).ticket_id)

    kitchen.hear(accepted("o-2"))
    kitchen.hear(cancelled("o-1"))
    kitchen.hear(accepted("o-3"))

    assert statuses(kitchen) == ["void", "open"]
