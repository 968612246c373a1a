"""What may happen to a ticket, and how much room there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from modules.kitchen.model import Capacity, Ticket, TicketConflictError, TicketLine, TicketStatus

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

Action = Callable[[Ticket], None]


def new_ticket() -> Ticket:
    return Ticket("t-1", "o-1", [TicketLine("Ramen", 2)], NOW)


def after(*actions: Action) -> Ticket:
    ticket = new_ticket()
    for action in actions:
        action(ticket)
    return ticket


def test_ticket_goes_from_open_over_cooking_to_done() -> None:
    ticket = new_ticket()
    passed = [ticket.status]

    ticket.start()
    passed.append(ticket.status)
    ticket.finish()
    passed.append(ticket.status)

    assert passed == [TicketStatus.OPEN, TicketStatus.COOKING, TicketStatus.DONE]


@pytest.mark.parametrize(
    ("before", "forbidden"),
    [
        ((), Ticket.finish),
        ((Ticket.start,), Ticket.start),
        ((Ticket.start, Ticket.finish), Ticket.start),
        ((Ticket.start, Ticket.finish), Ticket.finish),
        ((Ticket.void,), Ticket.start),
        ((Ticket.void,), Ticket.finish),
    ],
)
def test_ticket_takes_no_step_out_of_turn(before: tuple[Action, ...], forbidden: Action) -> None:
    ticket = after(*before)
    status = ticket.status

    with pytest.raises(TicketConflictError) as caught:
        forbidden(ticket)

    assert (caught.value.current, ticket.status) == (status, status)


@pytest.mark.parametrize("before", [(), (Ticket.start,)])
def test_open_or_cooking_ticket_can_be_voided(before: tuple[Action, ...]) -> None:
    ticket = after(*before)

    ticket.void()

    assert ticket.status is TicketStatus.VOID


def test_done_ticket_stays_done() -> None:
    ticket = after(Ticket.start, Ticket.finish)

    ticket.void()

    assert ticket.status is TicketStatus.DONE


def test_ticket_that_was_never_opened_is_void() -> None:
    assert Ticket("t-1", "o-1", [], opened_at=None).status is TicketStatus.VOID


def test_kitchen_has_room_below_its_capacity_only() -> None:
    capacity = Capacity(2)

    assert [capacity.has_room(working) for working in (0, 1, 2, 3)] == [True, True, False, False]
