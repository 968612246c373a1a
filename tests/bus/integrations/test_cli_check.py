"""`flask bus check`, and what every command says of a database that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bus.testing import FakeClock
from tests.bus.integrations.desk import Desk, failing
from tests.durable.shop import BILL, KITCHEN, ORDER, Shop


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open a shop of two modules in which every view has its listener."""
    clock = FakeClock()
    shop = Shop(tmp_path, clock=clock, modules=(ORDER, KITCHEN))
    desk = Desk(shop, clock)
    desk.listen_to_tickets()
    yield desk
    shop.close()


def problems(desk: Desk) -> list[str]:
    result = desk.call("check")
    assert result.exit_code == (1 if "problem" in result.stdout else 0)
    return [line.removeprefix("problem  ") for line in result.stdout.splitlines() if line.startswith("problem")]


def test_check_of_a_sound_application_is_all_ok(desk: Desk) -> None:
    desk.shop.open_tickets()

    result = desk.call("check")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "ok       databases answer, and have the tables of this build",
        "ok       modules fit together",
        "ok       no orphans",
        "ok       nothing is parked",
        "ok       no dead letters",
        "ok       quarantine is empty",
        "ok       no forgotten pauses",
    ]


def test_dead_letter_is_a_problem(desk: Desk) -> None:
    desk.shop.listen(failing())
    desk.place_and_deliver(1)

    assert problems(desk) == ["no dead letters: kitchen.open_ticket has 1; see flask bus dead groups"]


def test_view_without_a_listener_is_a_problem(desk: Desk) -> None:
    assert problems(desk) == ["modules fit together: kitchen has a view of order.placed and no listener for it"]


def test_orphan_is_a_problem(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.shop.listen(failing("kitchen.count", is_permanent=False))
    desk.place_and_deliver(1)
    desk.shop.bus.unsubscribe("kitchen.count")

    assert problems(desk) == ["no orphans: kitchen.count is in no build of this process and has 1 open publication"]


def test_parked_event_is_a_problem(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.place(1)
    with desk.shop.order.write() as connection:
        connection.execute(text("UPDATE bus_event SET version = 2"))
    desk.deliver()

    assert problems(desk) == ["nothing is parked: * has 1 publication it cannot read"]


def test_quarantine_is_a_problem(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.quarantine(b"garbage")

    assert problems(desk) == ["quarantine is empty: kitchen has 1"]


def test_pause_is_a_problem_after_a_day(desk: Desk) -> None:
    desk.shop.open_tickets()
    desk.call("pause", "kitchen", "--reason", "oven is cold", "--who", "ada")
    at_once = problems(desk)
    desk.clock.advance(days=1, hours=2)

    assert at_once == []
    assert problems(desk) == ["no forgotten pauses: kitchen is paused for 1 d 2 h by ada: oven is cold"]


def test_check_as_json(desk: Desk) -> None:
    data = desk.json("check")

    assert not data["ok"]
    assert data["checks"][0] == {
        "ok": True,
        "what": "databases answer, and have the tables of this build",
        "problems": [],
    }
    assert [check["ok"] for check in data["checks"]] == [True, False, True, True, True, True, True]


def test_other_tables_are_a_problem(desk: Desk) -> None:
    with desk.shop.kitchen.write() as connection:
        connection.execute(text("ALTER TABLE bus_inbox DROP COLUMN took"))

    (problem, *_) = problems(desk)

    assert "the database of 'kitchen' has another table layout" in problem
    assert "bus_inbox.took is missing" in problem


def ruin(desk: Desk) -> None:
    """Replace the kitchen's file by garbage."""
    desk.shop.kitchen.close()
    file = Path(str(desk.shop.kitchen.url.database))
    for other in file.parent.glob("kitchen.db-*"):
        other.unlink()
    file.write_bytes(b"garbage" * 1000)


def test_database_that_does_not_answer_is_a_problem_and_the_rest_is_not_asked(desk: Desk) -> None:
    ruin(desk)

    result = desk.call("check")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        "problem  databases answer, and have the tables of this build: the database of 'kitchen', "
        f"sqlite:///{desk.shop.kitchen.url.database}, does not answer: file is not a database"
    )
    assert len(result.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["status", "--json"],
        ["events", "--history"],
        ["trace", "0"],
        ["tail"],
        ["dead", "list"],
        ["dead", "groups"],
        ["dead", "show", "0"],
        ["dead", "redeliver", "--all", "--yes"],
        ["dead", "discard", "--all", "--reason", "old", "--yes"],
        ["pause", "kitchen", "--reason", "old"],
        ["resume", "kitchen"],
        ["purge", "--older-than", "60d", "--yes"],
        ["quarantine", "list"],
    ],
    ids=" ".join,
)
def test_database_that_does_not_answer_is_one_sentence_and_exit_3(desk: Desk, command: list[str]) -> None:
    ruin(desk)

    result = desk.call(*command)

    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.removeprefix("Waiting for events; Ctrl-C ends it.\n") == (
        f"Error: the database of 'kitchen', sqlite:///{desk.shop.kitchen.url.database}, does not answer: "
        "file is not a database\n"
    )


def test_database_that_takes_no_writes_is_one_sentence_and_exit_3(desk: Desk) -> None:
    desk.shop.listen(failing())
    desk.place_and_deliver(1)
    with desk.shop.kitchen.write() as connection:
        connection.execute(text("CREATE TRIGGER stop BEFORE UPDATE ON bus_inbox BEGIN SELECT RAISE(ABORT, 'no'); END"))

    result = desk.call("dead", "redeliver", "--all", "--yes")

    assert result.exit_code == 3
    assert result.stderr.endswith("Error: a module's database refuses this: no\n")


def test_module_hosted_without_its_publisher_fits(tmp_path: Path) -> None:
    shop = Shop(tmp_path, modules=(ORDER, KITCHEN, BILL))
    desk = Desk(shop, FakeClock())
    desk.listen_to_tickets()
    shop.open_tickets()

    found = problems(desk)
    shop.close()

    assert found == ["modules fit together: bill has a view of order.placed and no listener for it"]
