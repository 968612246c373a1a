"""Processes are killed in mid-listener, lose their database or their broker: no order is lost or done twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.own_broker import BROKERS, lacks
from tests.own_server import server_programs
from tests.prove.databases import ROOT
from tests.prove.finding import Finding, at_least, at_most, exactly

#: Events of the whole chain, how fast the bus's clock goes, and the seconds that they may take on two cores where
#: nothing else runs: in one process, and over a broker.
EVENTS, SPEED, BOUND = 20_000, 5, 60
BROKER_EVENTS, BROKER_SPEED, BROKER_BOUND = 10_000, 4, 90

#: Seconds after which a run is no longer waited for, however busy the machine is.
HANGING = 1800

#: Seconds after the last fault within which what was published over a broker is done.
SETTLED = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of the harness: where, how much, and what befalls it."""

    database: str
    faults: Mapping[str, int]
    transport: str = "inprocess"
    events: int = EVENTS
    speed: int = SPEED
    workers: int = 1
    bound: float = BOUND

    @property
    def name(self) -> str:
        """What its findings are told with."""
        where = self.transport if self.is_over_a_broker else self.database
        threads = f" with {self.workers} workers a module" if self.workers > 1 else ""
        return f"{where}{threads}{' by the clock of its server' if self.speed == 1 else ''}"

    @property
    def is_over_a_broker(self) -> bool:
        """Whether those who publish and those who work are different processes."""
        return self.transport != "inprocess"

    def command(self, seed: int) -> list[str]:
        """Return what runs it, with faults by a seed."""
        options = {
            "database": self.database,
            "transport": self.transport,
            "events": self.events,
            "speed": self.speed,
            "workers": self.workers,
            "seed": seed,
        }
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


def _over(transport: str) -> Trial:
    faults = {"kills": 20, "broker kills": 2, "wipes": 1}
    return Trial("postgres", faults, transport, events=BROKER_EVENTS, speed=BROKER_SPEED, bound=BROKER_BOUND)


TRIALS = (
    Trial("sqlite", {"kills": 40}),
    Trial("postgres", {"kills": 40, "stops": 3, "restarts": 3}),
    Trial("postgres", {"kills": 10, "stops": 1}, events=5_000, workers=4),
    # At its own speed the bus's clock is the server's, as in an application.
    Trial("postgres", {"kills": 5, "stops": 1}, events=2_000, speed=1),
    *(_over(transport) for transport in BROKERS),
)


def prove() -> Iterator[Finding]:
    for trial in TRIALS:
        lacking = trial.lacks()
        if lacking and os.environ.get("REQUIRE_SERVICES") != "1":
            print(f"  nothing is shown on {trial.name}: the program {lacking} is not installed")
            continue
        seed = random.SystemRandom().randrange(2**32)
        print(f"  {trial.name}, seed {seed}", flush=True)
        yield from _proved(trial, _reported(trial, seed))


def _proved(trial: Trial, report: Mapping[str, Any]) -> Iterator[Finding]:
    done, orders, seconds = report["faults"], report["orders"], report["seconds"]
    for fault, count in trial.faults.items():
        yield exactly(f"{trial.name}, {fault}", done[fault], count)
    yield at_least(f"{trial.name}, kills while a listener ran", done["kills while a listener ran"], 1)
    # The seconds are told, and not judged: they say how fast the machine is, and what else it does.
    took = f"{seconds['total']:.0f} s, with {seconds['processor']:.0f} s of processor time"
    print(
        f"  {trial.name}, {trial.events:,} events in {took}; to be reached on two cores: {trial.bound:.0f} s",
        flush=True,
    )
    told = f"{trial.name}, {orders['acknowledged']:,} orders acknowledged and {orders['recovered']:,} recovered"
    for kind, violation in report["violations"].items():
        yield exactly(f"{told}: {kind}", violation["count"], 0)
    if trial.is_over_a_broker and report["settled_after"] is not None:
        yield at_most(f"{trial.name}, everything done after the last fault", report["settled_after"], SETTLED, " s")


def _reported(trial: Trial, seed: int) -> dict[str, Any]:
    command = trial.command(seed)
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=HANGING, check=False)
    report: dict[str, Any] = json.loads(ended.stdout)
    return report
