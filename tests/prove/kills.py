"""Processes are killed in the middle of listeners, stopped, and lose their database: no order is lost or done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tests.own_server import server_programs
from tests.prove.databases import ROOT
from tests.prove.finding import Finding, at_least, exactly

#: Events of the whole chain, and how fast the bus's clock goes.
EVENTS, SPEED = 20_000, 5

#: What befalls the processes on each database.
FAULTS = {
    "sqlite": {"kills": 40},
    "postgres": {"kills": 40, "stops": 3, "restarts": 3},
}


def prove() -> Iterator[Finding]:
    for database, faults in FAULTS.items():
        if database == "postgres" and server_programs() is None and os.environ.get("REQUIRE_SERVICES") != "1":
            print("  on SQLite alone: the programs of a PostgreSQL server are not installed")
            continue
        yield from _proved(database, faults, _reported(database, faults))


def _proved(database: str, faults: Mapping[str, int], report: Mapping[str, Any]) -> Iterator[Finding]:
    done, orders, seconds = report["faults"], report["orders"], report["seconds"]
    for fault, count in faults.items():
        yield exactly(f"{database}, {fault}", done[fault], count)
    yield at_least(f"{database}, kills while a listener ran", done["kills while a listener ran"], 1)
    # The seconds are told, and not judged: they say how fast the machine is.
    told = (
        f"{database}, {EVENTS:,} events in {seconds['total']:.0f} s, {orders['acknowledged']:,} orders acknowledged "
        f"and {orders['recovered']:,} recovered"
    )
    for kind, violation in report["violations"].items():
        yield exactly(f"{told}: {kind}", violation["count"], 0)


def _reported(database: str, faults: Mapping[str, int]) -> dict[str, Any]:
    options = {"database": database, "events": EVENTS, "speed": SPEED, **faults}
    told = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "tests.chaos", *told]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    report: dict[str, Any] = json.loads(ended.stdout)
    return report
