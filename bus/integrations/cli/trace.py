"""`flask bus trace`: the story of one event."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from bus.history.store import RecordedEvent
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.cli.output import json_option, moment_data, show, show_json
from bus.integrations.current import current_bus, current_operations
from bus.masking import Masking
from bus.trace import CANDIDATES, Story, TracedEvent, TracedModule, TracedPublication, Tracer
from bus.trace_text import story_text
from bus.words import moment_text


@operator_command("trace")
@click.argument("id")
@json_option
def trace(id: str, as_json: bool) -> None:
    """Tell the story of one event. ID is the beginning of its id, or of its correlation id."""
    bus = current_bus()
    tracer = Tracer(current_operations().modules, Masking(bus.catalogue), bus.clock)
    story = tracer.story(_the_one(id, tracer.candidates(id)))
    if as_json:
        show_json(_story_data(story))
    else:
        show(story_text(story))


def _the_one(id: str, found: list[RecordedEvent]) -> str:
    exact = [event for event in found if id in (event.envelope.id, event.envelope.correlationid)]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0].envelope.correlationid
    if not found:
        raise WrongCallError(f"no module hosted here has published an event whose id, or correlation id, begins {id!r}")
    lines = [
        f"  {event.envelope.id}  {event.envelope.type}, {moment_text(event.envelope.time)}"
        for event in found[:CANDIDATES]
    ]
    more = ["  …"] if len(found) > CANDIDATES else []
    raise WrongCallError("\n".join([f"{id!r} is the beginning of several stories:", *lines, *more]))


def _story_data(story: Story) -> dict[str, Any]:
    return {
        "correlation_id": story.correlation_id,
        "at": moment_data(story.at),
        "began_at": moment_data(story.began_at),
        "over": story.is_over,
        "events": [_event_data(root) for root in story.roots],
    }


def _event_data(event: TracedEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name,
        "version": event.version,
        "module": event.module,
        "key": event.key,
        "time": moment_data(event.time),
        "causation_id": event.causation_id,
        "modules": [_module_data(module) for module in event.modules],
    }


def _module_data(module: TracedModule) -> dict[str, Any]:
    return {
        "module": module.module,
        "owed": module.owed,
        "publications": [_publication_data(found) for found in module.publications],
        "effects": [_event_data(effect) for effect in module.effects],
    }


def _publication_data(found: TracedPublication) -> dict[str, Any]:
    record, pause = found.record, found.pause
    return {
        "listener": record.listener_id,
        "state": record.state,
        "reason": record.reason,
        "due_at": moment_data(record.due_at),
        "waited_microseconds": found.waited,
        "took_microseconds": record.took,
        "starts": record.starts,
        "failures": record.failures,
        "crashes": record.crashes,
        "error": record.error,
        "place": record.place,
        "known": found.known,
        "pause": None if pause is None else pause_data(asdict(pause)),
        "effects": [_event_data(effect) for effect in found.effects],
    }


def pause_data(pause: dict[str, Any]) -> dict[str, Any]:
    """Return a pause as JSON has it."""
    return {**pause, "since": moment_data(pause["since"]), "until": moment_data(pause["until"])}
