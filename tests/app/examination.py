"""An application examined against its own description: made-up requests, right and wrong, and every answer checked.

Schemathesis makes the requests and checks the answers; nothing leaves the process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import schemathesis
from flask import Flask
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import CheckNode, ScenarioRecorder

from tests.app.counter import API

#: Refusals that a schema cannot tell: the key of another order, a price in another currency than the restaurant's.
BEYOND_SCHEMAS = ("Idempotency-Key", "price.currency")
#: JSON Schema takes 2.0 for an integer; here a whole number is written without a fraction.
FRACTION = "expected a whole number, got a number"


@dataclass
class Examination:
    """What was asked and what was found wrong."""

    answers: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)


def examine(app: Flask, *, examples: int, operation: str | None = None) -> Examination:
    """Examine every operation, or one; the requests are the same each time.

    Args:
        app: The application.
        examples: Random requests for each operation and each kind of data, beside those at every limit.
        operation: The id of the one to examine.
    """
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "phases": {"stateful": {"enabled": False}},
        }
    )
    described = schemathesis.openapi.from_wsgi(f"{API}/openapi.json", app, config=config)
    found = Examination()
    for event in from_schema(described.include(operation_id=operation) if operation else described).execute():
        if isinstance(event, events.NonFatalError):
            found.faults.add(f"{event.label}: {event.value!r}")
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.ScenarioFinished):
            _note(found, event.recorder)
    return found


def _note(found: Examination, recorder: ScenarioRecorder) -> None:
    found.operations.add(recorder.label)
    found.answers.update(
        interaction.response.status_code for interaction in recorder.interactions.values() if interaction.response
    )
    for case_id, checks in recorder.checks.items():
        found.faults.update(f"{recorder.label}: {fault}" for fault in _faults(recorder, case_id, checks))


def _faults(recorder: ScenarioRecorder, case_id: str, checks: list[CheckNode]) -> Iterator[str]:
    for check in checks:
        told = check.failure_info
        if told is not None and not (
            check.name == "positive_data_acceptance" and _is_rightly_refused(recorder, case_id)
        ):
            yield f"{check.name}: {told.failure.title}: {told.failure.message}\n{told.code_sample}"


def _is_rightly_refused(recorder: ScenarioRecorder, case_id: str) -> bool:
    response = recorder.interactions[case_id].response
    document = json.loads(response.content) if response else {}
    return document.get("field") in BEYOND_SCHEMAS or FRACTION in document.get("detail", "")
