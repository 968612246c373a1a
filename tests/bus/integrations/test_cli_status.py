from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from bus.integrations.cli import bus_commands
from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk, failing
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop


def test_status_shows_what_is_owed_and_how_the_listeners_fare(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.place_and_deliver(1)
    desk.place(2, 3)
    desk.clock.advance(seconds=90)

    result = desk.call("status")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "kitchen",
        "  owes nothing",
        "  LISTENER             COMPLETED  OPEN  OLDEST  RETRYING  PARKED  DEAD",
        "  kitchen.open_ticket          1     0       -         0       0     0",
        "",
        "order",
        "  owes kitchen 2 events, the oldest for 1 min 30 s",
    ]


def test_status_exits_1_and_names_the_error_where_something_fails(desk: Desk) -> None:
    desk.shop.listen(failing(is_permanent=False))
    desk.place_and_deliver(1)
    desk.clock.advance(seconds=3)

    result = desk.call("status")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[:5] == [
        "kitchen  (in trouble)",
        "  owes nothing",
        "  LISTENER             COMPLETED  OPEN  OLDEST  RETRYING  PARKED  DEAD",
        "  kitchen.open_ticket          0     1     3 s         1       0     0",
        "    last error: ValueError: no dough",
    ]


def test_status_shows_a_pause_and_is_fine_with_it(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.call("pause", "kitchen.open_ticket", "--for", "10m", "--reason", "oven is cold", "--who", "ada")

    result = desk.call("status")

    assert result.exit_code == 0
    assert "    paused for 10 min more by ada: oven is cold" in result.stdout.splitlines()


def test_status_names_an_orphan(desk: Desk) -> None:
    desk.shop.listen(failing(is_permanent=False))
    desk.place_and_deliver(1)
    desk.shop.bus.unsubscribe("kitchen.open_ticket")

    result = desk.call("status")

    assert result.exit_code == 1
    assert "    orphan: this build has no such listener" in result.stdout.splitlines()


def test_status_counts_what_is_in_quarantine(desk: Desk) -> None:
    desk.quarantine(b"garbage")

    result = desk.call("status")

    assert result.exit_code == 1
    assert "  1 message in quarantine" in result.stdout.splitlines()


def test_status_as_json(desk: Desk) -> None:
    desk.shop.listen(failing())
    desk.place_and_deliver(1)
    desk.place(2)

    data = desk.json("status")

    kitchen, order = data["modules"]
    assert data["degraded"]
    assert (kitchen["module"], kitchen["degraded"], kitchen["quarantined"]) == ("kitchen", True, 0)
    assert kitchen["listeners"] == [
        {
            "id": "kitchen.open_ticket",
            "completed": 0,
            "open": 0,
            "retrying": 0,
            "parked": 0,
            "dead": 1,
            "oldest_seconds": None,
            "last_error": "PermanentFailure: no oven",
            "paused": None,
            "known": True,
        }
    ]
    assert order["owed"] == [{"target": "kitchen", "count": 1, "oldest_seconds": 0.0}]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_watch_looks_again_until_it_is_interrupted_and_exits_as_the_last_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    desk.shop.listen(failing())
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt
        desk.place_and_deliver(1)

    monkeypatch.setattr("time.sleep", wait)
    result = desk.call("status", "--watch", "--interval", "0.5", *options)

    assert result.exit_code == 1
    assert waits == [0.5, 0.5]
    assert result.stdout.count("kitchen.open_ticket") == 2
    assert "\x1b" not in result.stdout


def test_watch_that_is_interrupted_while_all_is_well_exits_0(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)

    assert desk.call("status", "--watch").exit_code == 0


def test_explain_tells_who_listens_to_an_event(tmp_path: Path) -> None:
    shop = Shop(tmp_path, modules=(ORDER, KITCHEN, BILL))
    shop.open_tickets()

    result = Desk(shop, FakeClock()).call("explain", "order.placed")
    shop.close()

    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "  1. kitchen.open_ticket: after commit, durably, in kitchen's own transaction",
        "  - bill: has a view of it, and no listener in this process",
    ]


def test_explain_as_json(desk: Desk) -> None:
    desk.shop.open_tickets()

    found = desk.json("explain", "order.placed")

    assert (found["event"], found["module"], found["version"]) == ("order.placed", "order", 1)
    assert [listener["id"] for listener in found["listeners"]] == ["kitchen.open_ticket"]
    assert (found["subscribed"], found["absent"]) == (["kitchen"], [])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_explain_of_an_unknown_event_exits_2_with_the_names(desk: Desk, options: list[str]) -> None:
    result = desk.call("explain", "order.plaecd", *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "no published event is named 'order.plaecd'; there are kitchen.ticket_opened, order." in result.stderr


@pytest.mark.parametrize(
    "arguments", [["status"], ["explain", "order.placed"], ["check"], ["config"], ["dead", "list"]]
)
def test_command_of_an_application_without_a_bus_exits_2_with_the_mend(arguments: list[str]) -> None:
    app = Flask(__name__)
    app.cli.add_command(bus_commands)

    result = app.test_cli_runner().invoke(args=["bus", *arguments])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: this application has no bus; call BusExtension(bus).init_app(app)\n"
