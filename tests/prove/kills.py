"""Processes are killed in mid-listener, lose their database or their broker: no order is lost or done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.own_broker import BROKERS, lacks
from tests.own_server import server_programs
from tests.prove.databases import ROOT
from tests.prove.finding import Finding, at_least, at_most, exactly

#: Events of the whole chain, and how fast the bus's clock goes: in one process, and over a broker.
EVENTS, SPEED = 20_000, 5
BROKER_EVENTS, BROKER_SPEED = 10_000, 4

#: Seconds after the last fault within which what was published over a broker is done.
SETTLED = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of the harness: where, how much, and what befalls it."""

    database: str
    faults: Mapping[str, int]
    transport: str = "inprocess"

    @property
    def name(self) -> str:
        """What its findings are told with."""
        return self.transport if self.is_over_a_broker else self.database

    @property
    def is_over_a_broker(self) -> bool:
        """Whether those who publish and those who work are different processes."""
        return self.transport != "inprocess"

    @property
    def events(self) -> int:
        """How many events it has."""
        return BROKER_EVENTS if self.is_over_a_broker else EVENTS

    def command(self) -> list[str]:
        """Return what runs it."""
        speed = BROKER_SPEED if self.is_over_a_broker else SPEED
        options = {"database": self.database, "transport": self.transport, "events": self.events, "speed": speed}
        told = [
            part
            for name, value in {**options, **self.faults}.items()
            for part in (f"--{name.replace(' ', '-')}", str(value))
        ]
        return [sys.executable, "-m", "tests.chaos", *told]

    def lacks(self) -> str | None:
        """Return which program it would need that is not installed."""
        if self.database == "postgres" and server_programs() is None:
            return "initdb"
        return lacks(self.transport) if self.is_over_a_broker else None


TRIALS = (
    Trial("sqlite", {"kills": 40}),
    Trial("postgres", {"kills": 40, "stops": 3, "restarts": 3}),
    *(Trial("postgres", {"kills": 20, "broker kills": 2, "wipes": 1}, transport) for transport in BROKERS),
)


def prove() -> Iterator[Finding]:
    for trial in TRIALS:
        lacking = trial.lacks()
        if lacking and os.environ.get("REQUIRE_SERVICES") != "1":
            print(f"  nothing is shown on {trial.name}: the program {lacking} is not installed")
            continue
        yield from _proved(trial, _reported(trial))


def _proved(trial: Trial, report: Mapping[str, Any]) -> Iterator[Finding]:
    done, orders, seconds = report["faults"], report["orders"], report["seconds"]
    for fault, count in trial.faults.items():
        yield exactly(f"{trial.name}, {fault}", done[fault], count)
    yield at_least(f"{trial.name}, kills while a listener ran", done["kills while a listener ran"], 1)
    # The seconds are told, and not judged: they say how fast the machine is.
    told = (
        f"{trial.name}, {trial.events:,} events in {seconds['total']:.0f} s, {orders['acknowledged']:,} orders "
        f"acknowledged and {orders['recovered']:,} recovered"
    )
    for kind, violation in report["violations"].items():
        yield exactly(f"{told}: {kind}", violation["count"], 0)
    if trial.is_over_a_broker and report["settled_after"] is not None:
        yield at_most(f"{trial.name}, everything done after the last fault", report["settled_after"], SETTLED, " s")


def _reported(trial: Trial) -> dict[str, Any]:
    ended = subprocess.run(trial.command(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    report: dict[str, Any] = json.loads(ended.stdout)
    return report
