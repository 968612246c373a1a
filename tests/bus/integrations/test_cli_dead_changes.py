"""`flask bus dead redeliver` and `discard`: what is selected, asked, and changed."""

from __future__ import annotations

import pytest

from tests.bus.integrations.desk import Desk, failing

REDELIVER = ("dead", "redeliver")
DISCARD = ("dead", "discard", "--reason", "no customer")
EITHER = pytest.mark.parametrize("command", [REDELIVER, DISCARD], ids=["redeliver", "discard"])


@pytest.fixture
def dead(desk: Desk) -> list[str]:
    desk.shop.listen(failing())
    return desk.place_and_deliver(1, 2, 3)


def left(desk: Desk) -> list[str]:
    """Return the keys of the dead publications that are left."""
    return sorted(found["key"] for found in desk.json("dead", "list")["publications"])


@EITHER
def test_without_a_selection_it_is_a_wrong_call(desk: Desk, dead: list[str], command: tuple[str, ...]) -> None:
    result = desk.call(*command, "--yes")

    assert result.exit_code == 2
    assert "say which: by ids, by filters such as --listener or --error, or --all" in result.stderr
    assert left(desk) == ["1", "2", "3"]


@EITHER
def test_away_from_a_terminal_it_is_refused_without_yes(desk: Desk, dead: list[str], command: tuple[str, ...]) -> None:
    result = desk.call(*command, "--all")

    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.splitlines()[0].startswith("3 dead publications will ")
    assert "nothing was changed, for nobody can be asked here; repeat it with --yes" in result.stderr
    assert left(desk) == ["1", "2", "3"]


@EITHER
@pytest.mark.usefixtures("at_a_terminal")
def test_at_a_terminal_it_asks(desk: Desk, dead: list[str], command: tuple[str, ...]) -> None:
    refused = desk.call(*command, dead[0], answer="n\n")
    agreed = desk.call(*command, dead[1], answer="y\n")

    assert (refused.exit_code, agreed.exit_code) == (4, 0)
    assert "1 dead publication will " in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert left(desk) == ["1", "3"]


@EITHER
@pytest.mark.parametrize(
    ("selection", "rest"),
    [
        (["--all"], []),
        (["--key", "2"], ["1", "3"]),
        (["--listener", "kitchen.open_ticket"], []),
        (["--error", "PermanentFailure", "--key", "3"], ["1", "2"]),
        (["--all", "--key", "1"], ["2", "3"]),
    ],
)
def test_filters_select(
    desk: Desk, dead: list[str], command: tuple[str, ...], selection: list[str], rest: list[str]
) -> None:
    result = desk.call(*command, *selection, "--yes")

    assert (result.exit_code, result.stdout) == (0, "")
    assert left(desk) == rest


@EITHER
def test_beginnings_of_ids_select(desk: Desk, dead: list[str], command: tuple[str, ...]) -> None:
    result = desk.call(*command, dead[0][:-1], dead[2], dead[2][:-1], "--yes")

    assert result.exit_code == 0
    assert result.stderr.startswith("2 dead publications will ")
    assert f"{'Redelivered' if command is REDELIVER else 'Discarded'} 2 publications.\n" in result.stderr
    assert left(desk) == ["2"]


@EITHER
def test_unclear_id_changes_nothing_at_all(desk: Desk, dead: list[str], command: tuple[str, ...]) -> None:
    result = desk.call(*command, dead[0], "0", "--yes")

    assert result.exit_code == 2
    assert "'0' means several publications; write more of it, or name a listener with --listener" in result.stderr
    assert left(desk) == ["1", "2", "3"]


@EITHER
def test_event_with_several_dead_listeners_needs_the_listener(desk: Desk, command: tuple[str, ...]) -> None:
    desk.shop.listen(failing(), failing("kitchen.count"))
    (id,) = desk.place_and_deliver(1)

    unclear = desk.call(*command, id, "--yes")
    clear = desk.call(*command, id, "--listener", "kitchen.count", "--yes")

    assert (unclear.exit_code, clear.exit_code) == (2, 0)
    assert [found["listener_id"] for found in desk.json("dead", "list")["publications"]] == ["kitchen.open_ticket"]


@EITHER
@pytest.mark.parametrize("selection", [["xyz"], ["--key", "99"]])
def test_where_nothing_matches_it_says_so_and_is_fine(
    desk: Desk, dead: list[str], command: tuple[str, ...], selection: list[str]
) -> None:
    result = desk.call(*command, *selection)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "No dead publication matches; nothing was changed.\n" in result.stderr


def test_redelivered_publication_is_due_and_its_history_says_who(desk: Desk, dead: list[str]) -> None:
    desk.call(*REDELIVER, dead[0], "--yes", "--who", "ada")

    data = desk.json("dead", "show", dead[0], "--state", "retrying")
    assert (data["reason"], data["failures"], data["due_at"]) == ("redelivered", 0, "2026-01-01T00:00:00.000000+00:00")
    assert (data["attempts"][-1]["outcome"], data["attempts"][-1]["error"]) == ("redelivered", "by ada")


def test_discarded_publication_keeps_who_and_why(desk: Desk, dead: list[str]) -> None:
    desk.call(*DISCARD, dead[0], "--yes", "--who", "ada")

    (found,) = desk.json("dead", "list", "--reason", "discarded")["publications"]
    attempts = desk.json("dead", "show", found["event_id"])["attempts"]
    assert found["event_id"] == dead[0]
    assert (attempts[-1]["outcome"], attempts[-1]["error"]) == ("discarded", "by ada: no customer")


def test_discard_without_a_reason_is_a_wrong_call(desk: Desk, dead: list[str]) -> None:
    result = desk.call("dead", "discard", "--all", "--yes")

    assert result.exit_code == 2
    assert "Missing option '--reason'" in result.stderr


def test_retrying_publications_can_be_discarded(desk: Desk) -> None:
    desk.shop.listen(failing(is_permanent=False))
    desk.place_and_deliver(1)

    result = desk.call(*DISCARD, "--state", "retrying", "--of-reason", "failed", "--yes")

    assert result.exit_code == 0
    assert desk.json("dead", "list", "--state", "retrying")["count"] == 0


def test_login_name_stands_for_who(desk: Desk, dead: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "grace")

    desk.call(*REDELIVER, dead[0], "--yes")

    assert desk.json("dead", "show", dead[0], "--state", "retrying")["attempts"][-1]["error"] == "by grace"


def test_caller_without_a_login_name_is_named_by_number(
    desk: Desk, dead: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("os.getuid", lambda: 1234)

    desk.call(*REDELIVER, dead[0], "--yes")

    assert desk.json("dead", "show", dead[0], "--state", "retrying")["attempts"][-1]["error"] == "by user 1234"
