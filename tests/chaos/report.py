"""What a run tells, as JSON."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.accounting import Accounts, told
from tests.chaos.harness import Tally
from tests.chaos.journal import Journal
from tests.chaos.settings import Settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of a run."""

    settings: Settings
    tally: Tally
    journal: Journal
    accounts: Accounts
    fault: str | None = None
    settled_after: float | None = None

    @property
    def violations(self) -> Mapping[str, Any]:
        """Every kind of violation with its count and examples."""
        ends = {"failed processes": told(self.tally.failed), "blocked publishers": told(self.tally.blocked)}
        found = {**self.accounts.violations, **ends}
        return {kind: asdict(violation) for kind, violation in found.items()}

    @property
    def is_clean(self) -> bool:
        """Whether no promise was broken."""
        return not any(violation["count"] for violation in self.violations.values())

    def text(self) -> str:
        """Return the report as JSON."""
        tally, journal = self.tally, self.journal
        return json.dumps(
            {
                "parameters": asdict(self.settings),
                "deliberate fault in the bus": self.fault,
                "commit": _commit(),
                "python": platform.python_version(),
                "seconds": {part: round(seconds, 1) for part, seconds in tally.seconds.items()},
                "orders": {
                    "tried": journal.tried,
                    "acknowledged": journal.acknowledged,
                    "recovered": self.accounts.recovered,
                    "rolled back on purpose": journal.undone,
                },
                "rows": dict(self.accounts.effects),
                "faults": {
                    "kills": tally.kills,
                    "kills while a listener ran": tally.in_listener,
                    "stops": tally.stops,
                    "restarts": tally.restarts,
                    "broker kills": tally.broker_kills,
                    "wipes": tally.wipes,
                    "moves": tally.moves,
                },
                "settled_after": None if self.settled_after is None else round(self.settled_after, 1),
                "violations": self.violations,
            },
            indent=2,
        )


def undisturbed(seconds: Mapping[str, float]) -> float:
    """Return what a run took, or would have on two cores of its own: beside other work it waits, and costs as much.

    Args:
        seconds: Those of its report.
    """
    return min(seconds["total"], seconds["processor"] / 2)


def _commit() -> str | None:
    """Return the commit that is checked out, marked where files differ from it; None outside of git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return asked.stdout.strip() or None
