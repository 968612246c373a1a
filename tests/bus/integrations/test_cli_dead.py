"""`flask bus dead list`, `groups` and `show`: looking at what was given up, or waits."""

from __future__ import annotations

from typing import Any

import pytest

from bus import module_listener
from tests.bus.integrations.desk import Desk, failing
from tests.durable.shop import WantedDish


@pytest.fixture
def dead(desk: Desk) -> list[str]:
    """Let two orders die, the second an hour after the first."""
    desk.shop.listen(failing())
    ids = desk.place_and_deliver(1)
    desk.clock.advance(hours=1)
    return ids + desk.place_and_deliver(2)


def keys(data: Any) -> list[str]:
    return [publication["key"] for publication in data["publications"]]


def test_list_shows_the_newest_first(desk: Desk, dead: list[str]) -> None:
    desk.clock.advance(minutes=5)

    result = desk.call("dead", "list")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{'EVENT ID':36}  LISTENER             REASON     WHEN",
        f"{dead[1]}  kitchen.open_ticket  permanent  5 min ago",
        "  order.placed  2  PermanentFailure: no oven",
        f"{dead[0]}  kitchen.open_ticket  permanent  1 h 5 min ago",
        "  order.placed  1  PermanentFailure: no oven",
    ]
    assert result.stderr == "2 dead publications.\n"


def test_list_says_how_many_there_are_beyond_its_limit(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "list", "--limit", "1")

    assert dead[1] in result.stdout
    assert dead[0] not in result.stdout
    assert result.stderr == "2 dead publications; the newest 1 are shown.\n"


def test_list_of_nothing_says_so_and_is_fine(desk: Desk) -> None:
    result = desk.call("dead", "list")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No dead publications.\n")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--listener", "kitchen.open_ticket"], ["2", "1"]),
        (["--listener", "kitchen.count"], []),
        (["--event", "order.placed"], ["2", "1"]),
        (["--event", "order.cancelled"], []),
        (["--error", "PermanentFailure"], ["2", "1"]),
        (["--error", "ValueError"], []),
        (["--key", "1"], ["1"]),
        (["--reason", "permanent"], ["2", "1"]),
        (["--reason", "failed"], []),
        (["--since", "30m"], ["2"]),
        (["--until", "30m"], ["1"]),
        (["--since", "2026-01-01T00:30:00Z"], ["2"]),
        (["--until", "2026-01-01T00:30:00"], ["1"]),
        (["--since", "2h", "--until", "30m", "--key", "2"], []),
        (["--state", "retrying"], []),
    ],
)
def test_list_takes_filters_that_all_have_to_hold(
    desk: Desk, dead: list[str], filters: list[str], found: list[str]
) -> None:
    assert keys(desk.json("dead", "list", *filters)) == found


def test_list_takes_the_beginning_of_an_id(desk: Desk, dead: list[str]) -> None:
    assert keys(desk.json("dead", "list", "--id", dead[0][:-2])) == ["1"]


def test_list_as_json(desk: Desk, dead: list[str]) -> None:
    data = desk.json("dead", "list", "--key", "1")

    (publication,) = data["publications"]
    assert data["count"] == 1
    assert publication.pop("place").endswith("in open_ticket")
    assert publication == {
        "module": "kitchen",
        "listener_id": "kitchen.open_ticket",
        "event_id": dead[0],
        "state": "dead",
        "reason": "permanent",
        "starts": 1,
        "failures": 1,
        "crashes": 0,
        "due_at": "2026-01-01T00:00:00.000000+00:00",
        "took": None,
        "event_name": "order.placed",
        "key": "1",
        "error_type": "PermanentFailure",
        "error": "PermanentFailure: no oven",
    }


def test_retrying_ones_are_listed_with_the_time_of_their_next_run(desk: Desk) -> None:
    desk.shop.listen(failing(is_permanent=False))
    desk.place_and_deliver(1)

    result = desk.call("dead", "list", "--state", "retrying")

    assert "  kitchen.open_ticket  failed  in " in result.stdout
    assert result.stderr == "1 retrying publication.\n"


def test_groups_count_by_listener_error_and_place(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "groups")

    header, first, example = result.stdout.splitlines()
    assert header == "COUNT  LISTENER             REASON     FIRST                 LAST"
    assert first == "    2  kitchen.open_ticket  permanent  2026-01-01T00:00:00Z  2026-01-01T01:00:00Z"
    assert example.startswith("       PermanentFailure: no oven, at desk.py:")
    assert result.stderr == "2 dead publications in 1 group.\n"


def test_groups_as_json(desk: Desk, dead: list[str]) -> None:
    (group,) = desk.json("dead", "groups")["groups"]

    assert (group["listener_id"], group["count"], group["error_type"]) == ("kitchen.open_ticket", 2, "PermanentFailure")
    assert (group["first_at"], group["last_at"]) == (
        "2026-01-01T00:00:00.000000+00:00",
        "2026-01-01T01:00:00.000000+00:00",
    )


def test_place_of_a_group_is_a_filter(desk: Desk, dead: list[str]) -> None:
    place = desk.json("dead", "groups")["groups"][0]["place"]

    assert keys(desk.json("dead", "list", "--place", place)) == ["2", "1"]


def test_show_tells_everything_about_one(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "show", dead[0][:-1])

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[:6] == [
        f"{dead[0]} for kitchen.open_ticket",
        "  state      dead, permanent",
        "  event      order.placed, key 1",
        f"  published  by order, 2026-01-01T00:00:00Z, story {dead[0]}",
        "  runs       1 marked, 1 failed, 0 crashed",
        "  ended      2026-01-01T00:00:00Z, 1 h ago",
    ]
    assert '  payload    {"order_id": 1, "note": ""}' in lines
    assert "      Traceback (most recent call last):" in lines
    assert lines[-1] == "      bus.retry.PermanentFailure: no oven"


def test_show_as_json_has_the_history(desk: Desk, dead: list[str]) -> None:
    desk.call("dead", "discard", dead[0], "--reason", "no customer", "--who", "ada", "--yes")

    result = desk.call("dead", "show", dead[1], "--json")
    data = desk.json("dead", "show", dead[1])

    assert result.exit_code == 0
    assert (data["source"], data["version"], data["payload"]) == ("order", 1, {"order_id": 2, "note": ""})
    assert [(attempt["at"], attempt["outcome"]) for attempt in data["attempts"]] == [
        ("2026-01-01T01:00:00.000000+00:00", "permanent")
    ]


def test_show_of_an_unknown_id_exits_2(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "show", "xyz")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "No dead publication of an event whose id begins 'xyz' matches.\n"


def test_show_of_a_beginning_that_several_share_lists_them(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "show", "0")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "'0' means several publications; write more of it" in result.stderr
    assert all(f"  {id}  kitchen.open_ticket" in result.stderr for id in dead)


def test_show_of_an_event_with_several_dead_listeners_asks_which(desk: Desk) -> None:
    desk.shop.listen(failing(), failing("kitchen.count"))
    (id,) = desk.place_and_deliver(1)

    unclear, clear = desk.call("dead", "show", id), desk.call("dead", "show", id, "--listener", "kitchen.count")

    assert unclear.exit_code == 2
    assert f"{id!r} means several publications; name one with --listener:" in unclear.stderr
    assert clear.stdout.startswith(f"{id} for kitchen.count\n")


def test_text_of_an_error_cannot_steer_the_terminal(desk: Desk) -> None:
    @module_listener("kitchen.open_ticket")
    def open_ticket(event: WantedDish) -> None:
        raise ValueError("two\nlines \x1b[2Jand a trick")

    desk.shop.listen(open_ticket)
    (id,) = desk.place_and_deliver(1)

    for command in (["list"], ["groups"], ["show", id]):
        assert "\x1b" not in desk.call("dead", *command, "--state", "retrying").stdout
