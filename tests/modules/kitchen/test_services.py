"""What the kitchen does with what it hears, in whatever sequence it hears it."""

from __future__ import annotations

from itertools import permutations

import pytest

from modules.kitchen.contract import (
    AcceptedLine,
    OrderAccepted,
    OrderCancelled,
    TicketOpened,
    TicketRefused,
)
from tests.modules.kitchen.conftest import Kitchen


def accepted(order_id: str = "o-1") -> OrderAccepted:
    return OrderAccepted(order_id, (AcceptedLine("Ramen", 2),))


def cancelled(order_id: str = "o-1") -> OrderCancelled:
    return OrderCancelled(order_id)


def test_accepted_order_gets_a_ticket(kitchen: Kitchen) -> None:
    kitchen.hear(accepted())

    (ticket,) = kitchen.container.reader().oldest(10)
    assert (ticket["order_id"], ticket["status"]) == ("o-1", "open")
    assert ticket["lines"] == [{"name": "Ramen", "quantity": 2}]
    assert kitchen.said == [TicketOpened("o-1", str(ticket["ticket_id"]))]


@pytest.mark.parametrize("news", sorted(set(permutations(["accepted", "accepted", "cancelled", "cancelled"]))))
def test_cancelled_order_is_never_cooked(kitchen: Kitchen, news: tuple[str, ...]) -> None:
    for piece in news:
        kitchen.hear(accepted() if piece == "accepted" else cancelled())

    assert kitchen.statuses() == (["void"] if news[0] == "accepted" else [])


def test_order_is_refused_when_the_kitchen_is_full(kitchen: Kitchen) -> None:
    kitchen.container.room().resize(1)

    kitchen.hear(accepted("o-1"))
    kitchen.hear(accepted("o-2"))

    assert kitchen.said[1:] == [TicketRefused("o-2", "kitchen_full")]
    assert kitchen.statuses() == ["open"]


def test_cooking_ticket_takes_up_room_and_a_void_one_does_not(kitchen: Kitchen) -> None:
    kitchen.container.room().resize(1)
    kitchen.hear(accepted("o-1"))
    kitchen.container.stove().start(kitchen.said[0].ticket_id)  # type: ignore[attr-defined]  # a TicketOpened

    kitchen.hear(accepted("o-2"))
    kitchen.hear(cancelled("o-1"))
    kitchen.hear(accepted("o-3"))

    assert kitchen.statuses() == ["void", "open"]


def test_order_that_was_refused_stays_refused_when_there_is_room_and_it_is_heard_of_again(kitchen: Kitchen) -> None:
    kitchen.container.room().resize(0)
    kitchen.hear(accepted())
    kitchen.container.room().resize(1)

    kitchen.hear(accepted())
    kitchen.hear(cancelled())

    assert kitchen.said == [TicketRefused("o-1", "kitchen_full")]
    assert kitchen.statuses() == []


def test_refused_order_takes_up_no_room(kitchen: Kitchen) -> None:
    kitchen.container.room().resize(0)
    kitchen.hear(accepted("o-1"))
    kitchen.container.room().resize(1)

    kitchen.hear(accepted("o-2"))

    assert kitchen.statuses() == ["open"]
