"""Scenarios: stimulate, wait for what follows, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bus import RetryAfter, module_listener
from bus.testing import Scenario, boot_alone
from tests.durable.shop import (
    KITCHEN,
    OpenedTicket,
    Shop,
    Ticket,
    TicketOpened,
    WantedDish,
)


@pytest.fixture
def answering(shop: Shop) -> Shop:
    """The kitchen opens a ticket for each order and says so."""

    @module_listener("kitchen.answer")
    def answer(event: WantedDish) -> None:
        shop.kitchen.session.add(Ticket(order_id=event.order_id))
        shop.bus.publish(TicketOpened(event.order_id))

    shop.listen(answer)
    return shop


@module_listener("kitchen.refuse")
def refuse(event: WantedDish) -> None:
    raise RetryAfter(60, counts=True)


def test_event_that_another_module_publishes_in_answer_is_waited_for(answering: Shop) -> None:
    opened = Scenario(answering.bus).stimulate(lambda: answering.place(7)).wait_for(TicketOpened)

    assert opened == TicketOpened(7)


def test_event_is_waited_for_until_one_matches(answering: Shop) -> None:
    stimulated = Scenario(answering.bus).stimulate(lambda: answering.place(1, 2))

    opened = stimulated.wait_for(OpenedTicket, matching=lambda event: event.order_id == 2)

    assert opened == OpenedTicket(2)


def test_event_from_before_the_stimulus_is_not_taken_for_an_answer(answering: Shop) -> None:
    answering.place(1)
    answering.bus.drain()

    stimulated = Scenario(answering.bus, budget=0.1).stimulate(lambda: None)

    with pytest.raises(AssertionError, match=r"no kitchen.ticket_opened came within 0.1 s\nnothing was published"):
        stimulated.wait_for(TicketOpened)


def test_state_is_waited_for_and_returned(answering: Shop) -> None:
    stimulated = Scenario(answering.bus).stimulate(lambda: answering.place(7))

    assert stimulated.wait_until(answering.tickets, "a ticket is open") == [7]


def test_result_of_the_stimulus_is_kept(shop: Shop) -> None:
    assert Scenario(shop.bus).stimulate(lambda: 42).result == 42


def test_verification_sees_everything_that_followed(answering: Shop) -> None:
    seen: list[list[str]] = []

    Scenario(answering.bus).stimulate(lambda: answering.place(7)).verify(lambda events: seen.append(events.names))

    assert seen == [["order.placed", "kitchen.ticket_opened"]]


def test_check_that_returns_false_fails_and_the_error_lists_what_was_published(answering: Shop) -> None:
    stimulated = Scenario(answering.bus).stimulate(lambda: answering.place(7))

    with pytest.raises(AssertionError, match=r"the check is not content(.|\n)*kitchen.ticket_opened: TicketOpened"):
        stimulated.verify(lambda events: TicketOpened(7) not in events)


QUESTIONS: dict[str, Callable[[Shop, Scenario], object]] = {
    "event": lambda shop, scenario: scenario.stimulate(lambda: shop.place(7)).wait_for(TicketOpened),
    "state": lambda shop, scenario: scenario.stimulate(lambda: shop.place(7)).wait_until(shop.tickets, "a ticket"),
    "rest": lambda shop, scenario: scenario.stimulate(lambda: shop.place(7)).verify(lambda events: None),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_error_tells_what_was_published_what_failed_and_what_is_owed(shop: Shop, question: str) -> None:
    shop.listen(refuse)

    with pytest.raises(AssertionError) as raised:
        QUESTIONS[question](shop, Scenario(shop.bus, budget=0.3))

    told = str(raised.value).splitlines()
    assert "  order.placed: OrderPlaced(order_id=7, note='')" in told
    assert next(line for line in told if line.startswith("failed: kitchen.refuse for event ")).endswith(
        "run again after 60 s"
    )
    assert "open: 1 of kitchen.refuse" in told
    assert isinstance(raised.value.__cause__, RetryAfter)


def test_error_of_the_stimulus_reaches_the_test(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError):
        Scenario(shop.bus).stimulate(lambda: 1 / 0)


def test_scenario_runs_what_is_due_in_a_module_that_is_booted_alone(tmp_path: Path) -> None:
    heard: list[int] = []

    @module_listener("kitchen.note_own_ticket")
    def note_own_ticket(event: TicketOpened) -> None:
        heard.append(event.order_id)

    with boot_alone(KITCHEN, tmp_path) as kitchen:
        kitchen.own.subscribe(note_own_ticket)

        def open_ticket() -> None:
            with kitchen.database.transaction():
                kitchen.own.publish(TicketOpened(7))

        found = Scenario(kitchen.bus).stimulate(open_ticket).wait_until(lambda: heard, "the ticket is noted")

    assert found == [7]


def test_class_that_is_never_published_is_refused(shop: Shop) -> None:
    with pytest.raises(TypeError, match="str is no published event"):
        Scenario(shop.bus).stimulate(lambda: None).wait_for(str)
