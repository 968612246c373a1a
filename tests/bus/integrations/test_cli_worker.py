"""What `flask bus worker` has Dramatiq's own command do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from bus.testing import FakeClock
from bus.transport.dramatiq.transport import DramatiqTransport
from tests.bus.integrations.desk import Desk
from tests.durable.shop import KITCHEN, ORDER, Shop


class Ran:
    """The command that has taken the place of this process."""

    def __init__(self, _path: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.command, self.environment = list(command), environment

    def value_of(self, option: str) -> str:
        return self.command[self.command.index(option) + 1]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Ran]:
    """Keep the process, and return what would have taken its place."""
    ran: list[Ran] = []
    monkeypatch.setattr(os, "execve", lambda *arguments: ran.append(Ran(*arguments)))
    return ran


@pytest.fixture
def desk(application: str, tmp_path: Path) -> Iterator[Desk]:
    clock = FakeClock()
    transport = DramatiqTransport("dramatiq+stub://", application=application)
    desk = Desk(Shop(tmp_path, clock=clock, modules=(ORDER, KITCHEN), transport=transport), clock)
    yield desk
    desk.shop.close()


def test_each_module_has_as_many_threads_as_it_may_have_messages(desk: Desk, ran: list[Ran]) -> None:
    desk.call("worker", "--threads", "3")

    assert ran[0].value_of("--threads") == "6"
    assert ran[0].environment["dramatiq_queue_prefetch"] == "3"


def test_worker_of_one_module_takes_from_its_queue_alone(desk: Desk, ran: list[Ran], application: str) -> None:
    desk.call("worker", "--modules", "kitchen", "--threads", "3", "--processes", "2")

    assert (ran[0].value_of("--threads"), ran[0].value_of("--processes")) == ("3", "2")
    assert ran[0].command[ran[0].command.index("--queues") :] == ["--queues", f"{application}.kitchen"]
    assert ran[0].environment["FLASK_MODULES"] == "kitchen"
