"""Rows of the history, and the envelopes that they were."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from bus.envelope import Envelope


def envelope_of(row: Row[Any], source: str) -> Envelope:
    """Return a row of the history of a module as the envelope that it was."""
    return Envelope(
        id=row.id,
        source=source,
        type=row.name,
        version=row.version,
        subject=row.key,
        time=row.time,
        correlationid=row.correlation_id,
        causationid=row.causation_id,
        traceparent=row.traceparent,
        data=row.payload,
        ancestry=tuple((row.ancestry or "").split()),
    )
