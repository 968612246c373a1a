"""`flask bus pause`, `resume`, `purge`, `quarantine` and `config`."""

from __future__ import annotations

import base64

import pytest
from flask import Flask

from bus.integrations.flask import BusExtension, Setting
from tests.bus.integrations.desk import Desk


def pauses(desk: Desk) -> list[tuple[str, str, str, float | None]]:
    kitchen = desk.json("status")["modules"][0]
    found = [listener["paused"] for listener in kitchen["listeners"] if listener["paused"]]
    return [(pause["target"], pause["who"], pause["reason"], pause["seconds_left"]) for pause in found]


@pytest.mark.parametrize("target", ["kitchen.open_ticket", "kitchen"])
def test_pause_lasts_for_its_time(desk: Desk, target: str) -> None:
    desk.shop.open_tickets()

    result = desk.call("pause", target, "--for", "1h30m", "--reason", "oven is cold", "--who", "ada")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{target} is paused until 2026-01-01T01:30:00Z; end it with: flask bus resume {target}\n"
    assert pauses(desk) == [(target, "ada", "oven is cold", 5400.0)]


def test_pause_without_a_time_lasts_until_it_is_resumed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    desk.shop.open_tickets()

    paused = desk.call("pause", "kitchen", "--reason", "holiday")
    before = pauses(desk)
    resumed = desk.call("resume", "kitchen")

    assert paused.stderr == "kitchen is paused until it is resumed; end it with: flask bus resume kitchen\n"
    assert before == [("kitchen", "grace", "holiday", None)]
    assert (resumed.exit_code, resumed.stderr) == (0, "kitchen runs again.\n")
    assert pauses(desk) == []


def test_resume_of_what_was_not_paused_says_so_and_is_fine(desk: Desk) -> None:
    result = desk.call("resume", "kitchen")

    assert (result.exit_code, result.stderr) == (0, "kitchen was not paused.\n")


@pytest.mark.parametrize("command", [["pause", "kitchne", "--reason", "cold"], ["resume", "kitchne"]])
def test_unknown_target_exits_2_with_the_nearest(desk: Desk, command: list[str]) -> None:
    result = desk.call(*command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "is named 'kitchne'; did you mean 'kitchen'?" in result.stderr


@pytest.mark.parametrize(
    "command", [["pause", "kitchen"], ["pause", "kitchen", "--reason", "x", "--for", "soon"], ["purge"]]
)
def test_wrong_call_exits_2(desk: Desk, command: list[str]) -> None:
    assert desk.call(*command).exit_code == 2


@pytest.fixture
def old(desk: Desk) -> Desk:
    """Have two publications that were completed forty days ago."""
    desk.shop.open_tickets()
    desk.place_and_deliver(1, 2)
    desk.clock.advance(days=40)
    return desk


def test_purge_deletes_what_ended_longer_ago(old: Desk) -> None:
    result = old.call("purge", "--older-than", "35d", "--yes")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "2 completed or discarded publications ended longer ago than that, and will be deleted.",
        "Deleted 2 publications.",
    ]
    assert old.shop.publications() == []


def test_dry_run_only_counts(old: Desk) -> None:
    result = old.call("purge", "--older-than", "35d", "--dry-run")

    assert result.exit_code == 0
    assert result.stderr == "2 completed or discarded publications ended longer ago than that\n"
    assert len(old.shop.publications()) == 2


def test_purge_of_nothing_says_so_and_asks_nothing(old: Desk) -> None:
    result = old.call("purge", "--older-than", "50d")

    assert result.exit_code == 0
    assert result.stderr == "no completed or discarded publication ended longer ago than that\n"


def test_purge_away_from_a_terminal_is_refused_without_yes(old: Desk) -> None:
    result = old.call("purge", "--older-than", "35d")

    assert result.exit_code == 4
    assert len(old.shop.publications()) == 2


def test_purge_of_what_has_to_be_remembered_is_refused(old: Desk) -> None:
    result = old.call("purge", "--older-than", "1h", "--yes")

    assert result.exit_code == 4
    assert "is too short" in result.stderr
    assert len(old.shop.publications()) == 2


def test_quarantine_lists_what_is_kept(desk: Desk) -> None:
    digest = desk.quarantine(b"garbage \x1b[2J")

    result = desk.call("quarantine", "list")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "DIGEST        MODULE   LAST                  TIMES  BYTES  PROBLEM",
        f"{digest[:12]}  kitchen  2026-01-01T00:00:00Z      1     12  it is no JSON",
    ]


def test_empty_quarantine_says_so(desk: Desk) -> None:
    result = desk.call("quarantine", "list")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing is in quarantine.\n")


def test_quarantine_shows_one_by_the_beginning_of_its_digest(desk: Desk) -> None:
    digest = desk.quarantine(b"garbage \x1b[2J")

    lines = desk.call("quarantine", "show", digest[:8].upper()).stdout.splitlines()

    assert lines[0] == f"digest   {digest}"
    assert "came     once, first 2026-01-01T00:00:00Z, last 2026-01-01T00:00:00Z" in lines
    assert lines[-1] == r"data     garbage \x1b[2J"


def test_quarantine_as_json_has_the_bytes(desk: Desk) -> None:
    digest = desk.quarantine(b"\xff")

    (listed,) = desk.json("quarantine", "list")["quarantined"]
    shown = desk.json("quarantine", "show", digest)

    assert listed["first_at"] == "2026-01-01T00:00:00.000000+00:00"
    assert shown.pop("data") == base64.b64encode(b"\xff").decode()
    assert shown == listed


def test_drop_deletes_one(desk: Desk) -> None:
    first, second = desk.quarantine(b"1"), desk.quarantine(b"2", "order")

    refused = desk.call("quarantine", "drop", second)
    dropped = desk.call("quarantine", "drop", second, "--yes")

    assert (refused.exit_code, dropped.exit_code) == (4, 0)
    assert "1 message of 1 byte in the quarantine of order will be deleted." in dropped.stderr
    assert [entry["digest"] for entry in desk.json("quarantine", "list")["quarantined"]] == [first]


@pytest.mark.parametrize("command", ["show", "drop"])
def test_unknown_and_unclear_digests_exit_2(desk: Desk, command: str) -> None:
    digests = [desk.quarantine(b"1"), desk.quarantine(b"2")]

    unknown, unclear = desk.call("quarantine", command, "xyz"), desk.call("quarantine", command, "")

    assert (unknown.exit_code, unclear.exit_code) == (2, 2)
    assert "nothing in quarantine has a digest that begins 'xyz'" in unknown.stderr
    assert all(digest in unclear.stderr for digest in digests)


def test_config_shows_what_the_application_tells_and_what_the_bus_is(desk: Desk) -> None:
    app = Flask(__name__)
    BusExtension(desk.shop.bus, app, settings=[Setting("BUS_URL", "inprocess://", "the default")])

    result = app.test_cli_runner().invoke(args=["bus", "config"])

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "KEY        VALUE               FROM",
        "BUS_URL    inprocess://        the default",
        "transport  InProcessTransport  bus.assemble",
        "retention  30 d                bus.assemble",
    ]


def test_config_as_json(desk: Desk) -> None:
    assert desk.json("config")["settings"][-1] == {"key": "retention", "value": "30 d", "source": "bus.assemble"}
