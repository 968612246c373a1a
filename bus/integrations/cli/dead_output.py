"""How `flask bus dead` shows publications."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from bus.envelope import Envelope
from bus.inbox.dead_letters import Attempt, DeadLetterGroup, PublicationRecord
from bus.inbox.state import State
from bus.integrations.cli.output import WIDTH, clipped, moment_data, table
from bus.integrations.current import current_bus, current_operations
from bus.masking import Masking
from bus.words import duration_text, moment_text, one_line


def record_lines(found: Sequence[PublicationRecord]) -> Iterator[str]:
    """Return two lines for each publication: which and why; of what event, and with what error."""
    rows = [(r.event_id, r.listener_id, r.reason or "-", _when(r)) for r in found]
    header, *lines = table(("EVENT ID", "LISTENER", "REASON", "WHEN"), rows)
    yield header
    for record, line in zip(found, lines, strict=True):
        yield line
        about = [record.event_name or "-", _key(record) or "-", one_line(record.error or "no error")]
        yield clipped("  " + "  ".join(about), WIDTH)


def record_data(record: PublicationRecord) -> dict[str, Any]:
    """Return a publication as JSON has it."""
    return {**asdict(record), "key": _key(record), "due_at": moment_data(record.due_at)}


def group_lines(found: Sequence[DeadLetterGroup]) -> Iterator[str]:
    """Return two lines for each group: how many, of whom, when; and what an error of it says."""
    rows = [(str(g.count), g.listener_id, g.reason, moment_text(g.first_at), moment_text(g.last_at)) for g in found]
    header, *lines = table(("COUNT", "LISTENER", "REASON", "FIRST", "LAST"), rows, ("COUNT",))
    yield header
    for group, line in zip(found, lines, strict=True):
        yield line
        place = f", at {group.place}" if group.place else ""
        yield clipped(f"       {one_line(group.example or group.error_type or 'no error')}{place}", WIDTH)


def group_data(group: DeadLetterGroup) -> dict[str, Any]:
    """Return a group as JSON has it."""
    return {**asdict(group), "first_at": moment_data(group.first_at), "last_at": moment_data(group.last_at)}


def publication_lines(record: PublicationRecord) -> Iterator[str]:
    """Return everything about a publication, its history included."""
    envelope, attempts = _read(record)
    yield f"{record.event_id} for {record.listener_id}"
    yield f"  state      {record.state}, {record.reason or 'for no reason'}"
    yield f"  event      {record.event_name or '-'}{f', key {_key(record)}' if record.key else ''}"
    if envelope is not None:
        yield f"  published  by {envelope.source}, {moment_text(envelope.time)}, story {envelope.correlationid}"
    yield f"  runs       {record.starts} marked, {record.failures} failed, {record.crashes} crashed"
    yield f"  {'ended' if record.state is State.DEAD else 'due':9}  {moment_text(record.due_at)}, {_when(record)}"
    yield f"  error      {one_line(record.error or '-')}"
    yield f"  place      {record.place or '-'}"
    yield f"  payload    {_payload_text(envelope)}"
    yield "  history" if attempts else "  history    none"
    for attempt in attempts:
        yield from _attempt_lines(attempt)


def publication_data(record: PublicationRecord) -> dict[str, Any]:
    """Return everything about a publication as JSON has it."""
    envelope, attempts = _read(record)
    return {
        **record_data(record),
        "source": None if envelope is None else envelope.source,
        "version": None if envelope is None else envelope.version,
        "time": None if envelope is None else moment_data(envelope.time),
        "correlation_id": None if envelope is None else envelope.correlationid,
        "payload": None if envelope is None else _masking().payload(envelope),
        "attempts": [{**asdict(attempt), "at": moment_data(attempt.at)} for attempt in attempts],
    }


def _read(record: PublicationRecord) -> tuple[Envelope | None, list[Attempt]]:
    store = current_operations().modules[record.module].dead_letters
    return store.envelope(record.listener_id, record.event_id), current_operations().attempts(record)


def _attempt_lines(attempt: Attempt) -> Iterator[str]:
    error = one_line(attempt.error or attempt.error_type or "")
    place = f" ({attempt.place})" if attempt.place else ""
    yield f"    {moment_text(attempt.at)}  {attempt.outcome}  {error}{place}".rstrip()
    for line in (attempt.traceback or "").splitlines():
        yield f"      {''.join(letter if letter.isprintable() else ' ' for letter in line)}"


def _payload_text(envelope: Envelope | None) -> str:
    if envelope is None:
        return "no longer kept"
    payload = _masking().payload(envelope)
    return payload if isinstance(payload, str) else json.dumps(payload)


def _key(record: PublicationRecord) -> str | None:
    key = _masking().key(record.event_name, record.key)
    return None if key is None else one_line(key)


def _masking() -> Masking:
    return Masking(current_bus().catalogue)


def _when(record: PublicationRecord) -> str:
    distance = record.due_at - current_bus().clock.microseconds()
    return f"in {duration_text(distance)}" if distance > 0 else f"{duration_text(-distance)} ago"
