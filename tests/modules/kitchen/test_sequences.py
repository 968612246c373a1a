"""Every sequence of an order's news and a cook's work leaves one ticket at most, where the story says."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations

import pytest

from bus.testing import ModuleUnderTest
from modules.kitchen.contract import AcceptedLine, OrderAccepted, OrderCancelled, TicketOpened, TicketRefused
from modules.kitchen.model import TicketConflictError
from modules.kitchen.services import TicketNotFoundError

SEQUENCES = sorted(set(permutations(["accepted", "accepted", "cancelled", "start", "finish"])))


def expected(news: tuple[str, ...], *, has_room: bool) -> str | None:
    """Return the status of the ticket as cooks see it in the end, or None where there is none to see."""
    ticket = "unknown"
    for piece in news:
        if piece == "accepted" and ticket == "unknown":
            ticket = "open" if has_room else "out"
        elif piece == "cancelled":
            ticket = {"unknown": "out", "open": "void", "cooking": "void"}.get(ticket, ticket)
        elif (piece, ticket) in (("start", "open"), ("finish", "cooking")):
            ticket = {"open": "cooking", "cooking": "done"}[ticket]
    return None if ticket in ("unknown", "out") else ticket


def take(kitchen: ModuleUnderTest, order_id: str, piece: str) -> None:
    if piece == "accepted":
        kitchen.hear(OrderAccepted(order_id, (AcceptedLine("Ramen", 2),)))
    elif piece == "cancelled":
        kitchen.hear(OrderCancelled(order_id))
    else:
        work(kitchen, order_id, piece)


def work(kitchen: ModuleUnderTest, order_id: str, action: str) -> None:
    stove = kitchen.container.stove()
    with suppress(TicketConflictError, TicketNotFoundError):
        {"start": stove.start, "finish": stove.finish}[action](ticket_of(kitchen, order_id, "ticket_id") or "none")


def ticket_of(kitchen: ModuleUnderTest, order_id: str, part: str) -> str | None:
    shown = [ticket for ticket in kitchen.container.reader().oldest(1000) if ticket["order_id"] == order_id]
    assert len(shown) <= 1
    return str(shown[0][part]) if shown else None


@pytest.mark.parametrize("has_room", [True, False])
def test_every_sequence_of_news_and_work_ends_where_the_story_says(kitchen: ModuleUnderTest, has_room: bool) -> None:
    kitchen.container.room().resize(1000 if has_room else 0)
    for number, news in enumerate(SEQUENCES):
        for piece in news:
            take(kitchen, f"o-{number}", piece)

        assert ticket_of(kitchen, f"o-{number}", "status") == expected(news, has_room=has_room), news

    answered = [said.order_id for said in kitchen.published if isinstance(said, TicketOpened | TicketRefused)]
    assert len(answered) == len(set(answered))
