"""What `flask bus status` and `check` say of a broker, and of modules without a worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.testing import FakeClock
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.bus.integrations.desk import Desk
from tests.durable.shop import KITCHEN, ORDER, Shop
from tests.gate import Gate


@pytest.fixture
def gate(broker_url: str) -> Iterator[Gate]:
    with Gate(broker_url) as gate:
        yield gate


@pytest.fixture
def desk(gate: Gate, application: str, tmp_path: Path) -> Iterator[Desk]:
    """Open a shop of two modules, in which every view has its listener, and for which nobody works."""
    clock = FakeClock()
    transport = DramatiqTransport(gate.url, application=application)
    desk = Desk(Shop(tmp_path, clock=clock, modules=(ORDER, KITCHEN), transport=transport), clock)
    desk.listen_to_tickets()
    desk.shop.open_tickets()
    yield desk
    desk.shop.close()


def test_status_tells_over_what_events_travel_and_which_module_has_no_worker(desk: Desk) -> None:
    desk.place(1)
    desk.clock.advance(seconds=30)

    result = desk.call("status")

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[0] in ("events travel over RabbitMQ", "events travel over Redis")
    assert "  owes kitchen 1 event, the oldest for 30 s, which has no worker" in lines


def test_module_that_has_been_owed_something_for_less_than_half_a_minute_is_well(desk: Desk) -> None:
    desk.place(1)
    desk.clock.advance(seconds=29)

    result = desk.call("status")

    assert result.exit_code == 0
    assert "worker" not in result.stdout


def test_status_for_programs_has_the_same(desk: Desk) -> None:
    desk.place(1)
    desk.clock.advance(seconds=30)

    told = desk.json("status")

    assert told["degraded"]
    assert (told["transport"]["ready"], told["transport"]["unserved"]) == (True, ["kitchen"])


def test_broker_that_is_away_is_trouble(desk: Desk, gate: Gate) -> None:
    gate.shut()

    result = desk.call("status")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].endswith(", which does not answer")


def test_check_of_a_sound_application_is_all_ok(desk: Desk) -> None:
    result = desk.call("check")

    assert result.exit_code == 0
    assert "ok       the broker answers" in result.stdout.splitlines()
    assert "ok       every module has a worker" in result.stdout.splitlines()


def test_check_names_a_module_without_a_worker(desk: Desk) -> None:
    desk.place(1)
    desk.clock.advance(seconds=30)

    result = desk.call("check")

    assert result.exit_code == 1
    assert "problem  every module has a worker: kitchen has none, and is owed something" in result.stdout.splitlines()


def test_check_tells_that_the_broker_is_away(desk: Desk, gate: Gate) -> None:
    gate.shut()

    result = desk.call("check")

    assert result.exit_code == 1
    assert "problem  the broker answers: " in result.stdout
