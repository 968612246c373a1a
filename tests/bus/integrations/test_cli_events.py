"""`flask bus events` and `tail`: what is published, with personal fields masked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bus import Module, event
from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk
from tests.durable.shop import KITCHEN, ORDER, OpenedTicket, OrderCancelled, OrderPlaced, Shop, TicketOpened


@event("order.addressed", key="name", personal=("name", "street"))
@dataclass(frozen=True, slots=True)
class OrderAddressed:
    order_id: int
    name: str
    street: str


SECRETIVE = Module("order", contract=[OrderPlaced, OrderCancelled, OpenedTicket, OrderAddressed])


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Desk]:
    """Open a shop whose orders have an address."""
    clock = FakeClock()
    shop = Shop(tmp_path, clock=clock, modules=(SECRETIVE, KITCHEN))
    yield Desk(shop, clock)
    shop.close()


def address(desk: Desk) -> None:
    with desk.shop.order.transaction():
        desk.shop.bus.publish(OrderAddressed(7, "Ada", "Main Street"))


def test_events_shows_the_catalogue(post: Desk) -> None:
    post.shop.open_tickets()

    result = post.call("events")

    assert result.exit_code == 0
    assert result.stdout.split("\n\n")[1:2] == [
        "order.addressed v1, published by order\n"
        "  key        name\n"
        "  fields     order_id, name (personal), street (personal)\n"
        "  views      -\n"
        "  listeners  -"
    ]
    assert "  views      kitchen\n  listeners  kitchen.open_ticket\n" in result.stdout


def test_events_of_a_name_shows_it_alone(desk: Desk) -> None:
    result = desk.call("events", "order.cancelled")

    assert result.stdout.splitlines()[0] == "order.cancelled v1, published by order"
    assert "order.placed" not in result.stdout


def test_events_of_an_unknown_name_exits_2_with_the_names(desk: Desk) -> None:
    result = desk.call("events", "order.plaecd")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "no published event is named 'order.plaecd'; there are kitchen.ticket_opened, order.canc" in result.stderr


def test_events_as_json(post: Desk) -> None:
    assert post.json("events", "order.addressed")["events"] == [
        {
            "name": "order.addressed",
            "module": "order",
            "version": 1,
            "key": "name",
            "fields": ["order_id", "name", "street"],
            "personal": ["name", "street"],
            "viewed_by": [],
            "listeners": [],
        }
    ]


def test_history_masks_what_is_personal(post: Desk) -> None:
    address(post)

    result = post.call("events", "--history")

    id = post.history("order").last(1)[0].envelope.id
    assert result.stdout.splitlines() == [
        f"2026-01-01T00:00:00Z  {id}  order.addressed ***",
        '  {"order_id": 7, "name": "***", "street": "***"}',
    ]


def test_history_masks_events_that_this_build_does_not_know(post: Desk, tmp_path: Path) -> None:
    address(post)
    later = Shop(tmp_path, modules=(ORDER, KITCHEN))

    (found,) = Desk(later, FakeClock()).json("events", "--history")["events"]
    later.close()

    assert (found["name"], found["key"], found["payload"]) == ("order.addressed", "***", "***")


def test_history_shows_the_last_ones_of_all_modules_or_of_a_name(desk: Desk) -> None:
    desk.place(1, 2)
    desk.clock.advance(seconds=1)
    desk.shop.open_ticket(1)

    everything = desk.json("events", "--history", "--limit", "2")["events"]
    placed = desk.json("events", "order.placed", "--history")["events"]

    assert [(found["name"], found["key"]) for found in everything] == [
        ("order.placed", "2"),
        ("kitchen.ticket_opened", "1"),
    ]
    assert [found["key"] for found in placed] == ["1", "2"]


def test_history_of_nothing_says_so(desk: Desk) -> None:
    result = desk.call("events", "--history")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No such event is recorded.\n")


class Street:
    """Has something happen at each wait of a command that follows, and interrupts it at the end."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._desk = desk
        self._orders = iter([1, 2])
        monkeypatch.setattr("time.sleep", self._wait)

    def _wait(self, _seconds: float) -> None:
        order_id = next(self._orders, None)
        if order_id is None:
            raise KeyboardInterrupt
        self._desk.place(order_id)
        self._desk.clock.advance(seconds=1)
        with self._desk.shop.kitchen.transaction():
            self._desk.shop.bus.publish(TicketOpened(order_id))


def test_tail_follows_what_is_published_from_now_on_until_it_is_interrupted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.place(0)
    Street(desk, monkeypatch)

    result = desk.call("tail")

    assert result.exit_code == 0
    assert [line[60:] for line in result.stdout.splitlines()] == [
        "order.placed 1",
        "kitchen.ticket_opened 1",
        "order.placed 2",
        "kitchen.ticket_opened 2",
    ]
    assert result.stderr == "Waiting for events; Ctrl-C ends it.\n"


@pytest.mark.parametrize(
    ("options", "keys"),
    [(["order.placed"], ["1", "2"]), (["--module", "kitchen"], ["1", "2"]), (["--limit", "3"], ["1", "1", "2"])],
)
def test_tail_of_a_name_of_a_module_and_up_to_a_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, options: list[str], keys: list[str]
) -> None:
    Street(desk, monkeypatch)

    result = desk.call("tail", *options, "--json")

    assert result.exit_code == 0
    assert [json.loads(line)["key"] for line in result.stdout.splitlines()] == keys


def test_tail_masks_what_is_personal(post: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: address(post))

    result = post.call("tail", "--limit", "1", "--json")

    found = json.loads(result.stdout)
    assert (found["key"], found["payload"]) == ("***", {"order_id": 7, "name": "***", "street": "***"})


def test_tail_of_an_unknown_module_exits_2(desk: Desk) -> None:
    result = desk.call("tail", "--module", "kitchne")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean 'kitchen'?" in result.stderr
