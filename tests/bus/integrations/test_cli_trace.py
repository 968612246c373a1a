"""`flask bus trace`: the story of one event, across the modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bus import listener, module_listener
from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk, failing
from tests.durable.shop import (
    BILL,
    KITCHEN,
    ORDER,
    OpenedTicket,
    OrderCancelled,
    OrderPlaced,
    OwedSum,
    Shop,
    TicketOpened,
    WantedDish,
)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Desk]:
    """Open a shop with a bill, in which everybody takes its time."""
    clock = FakeClock()
    shop = Shop(tmp_path, clock=clock, modules=(ORDER, KITCHEN, BILL))

    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        clock.advance(milliseconds=4)
        shop.bus.publish(TicketOpened(event.order_id))

    @module_listener("order.note_ticket")
    def note_ticket(event: OpenedTicket) -> None:
        clock.advance(milliseconds=1)

    @module_listener("bill.charge")
    def charge(event: OwedSum) -> None:
        raise ValueError("no money")

    shop.listen(open_ticket)
    shop.listen(note_ticket, module="order")
    shop.listen(charge, module="bill")
    yield Desk(shop, clock)
    shop.close()


def play(street: Desk) -> str:
    """Place an order and let the kitchen and the order hear what follows; return the id of its event."""
    (id,) = street.place(7)
    street.clock.advance(milliseconds=2)
    street.deliver()
    street.clock.advance(milliseconds=3)
    street.deliver("kitchen", "order")
    return id


def told(desk: Desk, id: str) -> list[str]:
    """Return the lines of a story between its head and its end, without the numbers of lines in this code."""
    result = desk.call("trace", id)
    assert (result.exit_code, result.stderr) == (0, "")
    return re.sub(r"\w+\.py:\d+", "code.py:1", result.stdout).splitlines()[2:-2]


def test_trace_tells_what_an_event_has_caused_and_what_waits(street: Desk) -> None:
    street.shop.listen(failing("kitchen.count"))
    id = play(street)
    street.deliver("order", "bill")
    street.call("pause", "bill", "--for", "1h", "--reason", "audit", "--who", "ada")
    street.place(8)

    assert told(street, id) == [
        "       +0 ms  order.placed 7, published by order",
        "              ├─ … bill.charge is paused by ada until 2026-01-01T01:00:00Z: audit",
        "              │     ValueError: no money (code.py:1 in charge)",
        "       +2 ms  ├─ ✓ kitchen.open_ticket completed in 4 ms, after waiting 2 ms",
        "       +6 ms  │  └─ kitchen.ticket_opened, published by kitchen",
        "       +9 ms  │     └─ ✓ order.note_ticket completed in 1 ms, after waiting 3 ms",
        "       +6 ms  └─ ✗ kitchen.count is dead: another run would end the same way",
        "                    PermanentFailure: no oven (code.py:1 in open_ticket)",
        f"                    event {id}",
    ]


def test_module_that_has_not_acknowledged_is_told(street: Desk) -> None:
    id = play(street)
    street.clock.advance(seconds=5)

    result = street.call("trace", id)

    assert "  ├─ … bill has not acknowledged it yet, 5 s after it was published" in result.stdout
    assert result.stdout.splitlines()[-1] == "Not over, 1 acknowledgement outstanding."


def test_story_that_is_over_says_how_long_it_took(street: Desk) -> None:
    street.shop.bus.unsubscribe("bill.charge")
    id = play(street)
    street.deliver("order", "bill")

    assert street.call("trace", id).stdout.splitlines()[-1] == "Over after 10 ms."


@pytest.mark.parametrize("length", [36, 35])
def test_trace_takes_the_id_of_any_event_of_the_story(street: Desk, length: int) -> None:
    id = play(street)
    (later,) = street.history("kitchen").last(1)
    street.place(8)

    result = street.call("trace", later.envelope.id[:length])

    assert result.stdout.startswith(f"Story {id}: 2 events")


def test_beginning_that_several_stories_share_lists_them(street: Desk) -> None:
    ids = [play(street), *street.place(8)]

    result = street.call("trace", "0")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "Error: '0' is the beginning of several stories:",
        f"  {ids[0]}  order.placed, 2026-01-01T00:00:00Z",
        f"  {ids[1]}  order.placed, 2026-01-01T00:00:00Z",
    ]


def test_long_list_of_stories_is_cut(street: Desk) -> None:
    street.place(*range(12))

    assert len(street.call("trace", "0").stderr.splitlines()) == 12
    assert street.call("trace", "0").stderr.endswith("  …\n")


def test_unknown_id_exits_2(street: Desk) -> None:
    result = street.call("trace", "xyz")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "has published an event whose id, or correlation id, begins 'xyz'" in result.stderr


def test_trace_as_json(street: Desk) -> None:
    id = play(street)

    story = street.json("trace", id)

    (placed,) = story["events"]
    bill, kitchen = placed["modules"]
    (publication,) = kitchen["publications"]
    assert (story["correlation_id"], story["over"], story["began_at"]) == (
        id,
        False,
        "2026-01-01T00:00:00.000000+00:00",
    )
    assert (placed["id"], placed["name"], placed["key"], placed["causation_id"]) == (id, "order.placed", "7", None)
    assert (bill["module"], bill["owed"], bill["publications"]) == ("bill", True, [])
    assert (publication["waited_microseconds"], publication["took_microseconds"]) == (2_000, 4_000)
    assert [effect["name"] for effect in publication["effects"]] == ["kitchen.ticket_opened"]


def rewrite(desk: Desk, statement: str, **values: Any) -> None:
    """Change what the order's history says, as a forger or a fault would."""
    with desk.shop.order.write() as connection:
        connection.execute(text(statement), values)


def test_cause_that_is_not_known_here_makes_a_second_beginning(street: Desk) -> None:
    first, second = street.place(7, 8)
    rewrite(street, "UPDATE bus_event SET correlation_id = :id", id=first)
    rewrite(street, "UPDATE bus_event SET causation_id = 'elsewhere' WHERE id = :id", id=second)

    heads = [line for line in told(street, first) if "published by" in line]

    assert heads == [
        "       +0 ms  order.placed 7, published by order",
        "       +0 ms  order.placed 8, published by order; its cause elsewhere is not known here",
    ]


def test_causes_that_go_round_in_a_circle_are_told_once(street: Desk) -> None:
    first, second = street.place(7, 8)
    rewrite(street, "UPDATE bus_event SET correlation_id = :id", id=first)
    rewrite(street, "UPDATE bus_event SET causation_id = :id WHERE id = :other", id=first, other=second)
    rewrite(street, "UPDATE bus_event SET causation_id = :id WHERE id = :other", id=second, other=first)

    story = street.call("trace", first)

    assert story.stdout.count("order.placed 7") == 1
    assert story.stdout.count("order.placed 8") == 1


def test_module_that_has_forgotten_is_told_by_what_it_published(street: Desk) -> None:
    id = play(street)
    street.clock.advance(days=40)
    street.call("purge", "--older-than", "35d", "--yes")

    assert "kitchen has heard it, and no longer remembers how that went" in street.call("trace", id).stdout


def test_effect_stands_below_the_listener_that_was_running(street: Desk) -> None:
    @module_listener("kitchen.count", order=1)
    def count(event: WantedDish) -> None:
        street.clock.advance(milliseconds=2)

    street.shop.listen(count)

    assert [line[14:] for line in told(street, play(street))[2:5]] == [
        "├─ ✓ kitchen.count completed in 2 ms, after waiting 2 ms",
        "└─ ✓ kitchen.open_ticket completed in 4 ms, after waiting 4 ms",
        "   └─ kitchen.ticket_opened, published by kitchen",
    ]


def test_effect_of_the_only_completed_listener_is_its_own_whatever_the_clocks_say(street: Desk) -> None:
    id = play(street)
    with street.shop.kitchen.write() as connection:
        connection.execute(text("UPDATE bus_event SET time = time + 60000000"))

    assert told(street, id)[3].endswith("   └─ kitchen.ticket_opened, published by kitchen")


def test_effect_that_two_listeners_may_have_published_stands_below_their_module(street: Desk) -> None:
    @module_listener("kitchen.count")
    def count(event: WantedDish) -> None:
        pass

    street.shop.listen(count)

    assert "              └─ kitchen published because of it" in told(street, play(street))


def test_effect_of_a_plain_listener_stands_below_its_module(street: Desk) -> None:
    @listener
    def cancel(event: OrderPlaced) -> None:
        street.shop.bus.publish(OrderCancelled(event.order_id))

    street.shop.listen(cancel, module="order")

    street.shop.place(7)
    lines = told(street, street.history("order").last(2)[0].envelope.id)

    assert "              └─ order published because of it" in lines
    assert lines[-1] == "       +0 ms     └─ order.cancelled, published by order; nobody listens"
