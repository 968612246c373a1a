"""`flask bus events`: the catalogue of published events, and the last ones of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from bus.bus import EventBus
from bus.event import Published
from bus.history.store import RecordedEvent
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.cli.output import WIDTH, clipped, json_option, moment_data, say, show, show_json
from bus.integrations.current import current_bus, current_operations
from bus.masking import Masking
from bus.serialization import field_names
from bus.words import moment_text, one_line


@operator_command("events")
@click.argument("name", required=False)
@click.option("--history", is_flag=True, help="Show the last recorded ones instead.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the history.")
@json_option
def events(name: str | None, history: bool, limit: int, as_json: bool) -> None:
    """Show the published events. All, or the one of a NAME: owner, form, and who listens."""
    if history:
        _show_history(current_operations().events(limit, name=name), as_json)
    else:
        _show_catalogue(current_bus(), name, as_json)


def event_data(recorded: RecordedEvent, masking: Masking) -> dict[str, Any]:
    """Return a recorded event as JSON has it, with personal fields masked."""
    envelope = recorded.envelope
    return {
        "id": envelope.id,
        "name": envelope.type,
        "version": envelope.version,
        "module": envelope.source,
        "position": recorded.position,
        "key": masking.key(envelope.type, envelope.subject),
        "time": moment_data(envelope.time),
        "correlation_id": envelope.correlationid,
        "causation_id": envelope.causationid,
        "owed_to": list(recorded.owed_to),
        "payload": masking.payload(envelope),
    }


def event_line(recorded: RecordedEvent, masking: Masking) -> str:
    """Return a recorded event in a line: when, which, what, and about what."""
    envelope = recorded.envelope
    key = masking.key(envelope.type, envelope.subject)
    about = f"{envelope.type} {one_line(key)}" if key else envelope.type
    return f"{moment_text(envelope.time)}  {envelope.id}  {about}"


def _show_history(found: list[RecordedEvent], as_json: bool) -> None:
    masking = Masking(current_bus().catalogue)
    if as_json:
        show_json({"events": [event_data(recorded, masking) for recorded in found]})
        return
    for recorded in found:
        show(event_line(recorded, masking))
        payload = masking.payload(recorded.envelope)
        show(clipped(f"  {payload if isinstance(payload, str) else json.dumps(payload)}", WIDTH))
    if not found:
        say("No such event is recorded.")


def _show_catalogue(bus: EventBus, name: str | None, as_json: bool) -> None:
    found = [event for event in bus.catalogue.events() if name in (None, event.type.name)]
    if not found and name is not None:
        names = ", ".join(event.type.name for event in bus.catalogue.events()) or "none"
        raise WrongCallError(f"no published event is named {name!r}; there are {names}")
    if as_json:
        show_json({"events": [_published_data(bus, event) for event in found]})
    elif not found:
        say("No module publishes an event.")
    else:
        show("\n\n".join("\n".join(_published_lines(bus, event)) for event in found))


def _published_data(bus: EventBus, event: Published) -> dict[str, Any]:
    declared = event.type
    return {
        "name": declared.name,
        "module": event.module,
        "version": declared.version,
        "key": declared.key,
        "fields": field_names(event.cls),
        "personal": list(declared.personal),
        "viewed_by": list(dict.fromkeys(view.module for view in bus.catalogue.views(declared.name))),
        "listeners": [listener.id for listener in bus.explain(declared.name).listeners],
    }


def _published_lines(bus: EventBus, event: Published) -> Iterator[str]:
    data = _published_data(bus, event)
    fields = [f"{field} (personal)" if field in event.type.personal else field for field in data["fields"]]
    yield f"{data['name']} v{data['version']}, published by {data['module']}"
    yield f"  key        {data['key'] or '-'}"
    yield f"  fields     {', '.join(fields) or '-'}"
    yield f"  views      {', '.join(data['viewed_by']) or '-'}"
    yield f"  listeners  {', '.join(data['listeners']) or '-'}"
