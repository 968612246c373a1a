"""How a publication is written as a row of the inbox, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from bus.envelope import Envelope
from bus.inbox.dead_letters import PublicationRecord
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication, Trouble
from bus.tables import bus_inbox

write_envelope = msgspec.msgpack.Encoder().encode
read_envelope = msgspec.msgpack.Decoder(Envelope).decode

#: The columns behind a `PublicationRecord`, in its order.
RECORD_COLUMNS = tuple(
    bus_inbox.c[name]
    for name in (
        "listener",
        "event_id",
        "state",
        "reason",
        "starts",
        "failures",
        "crashes",
        "due_at",
        "took",
        "event_name",
        "event_key",
        "error_type",
        "error",
        "place",
    )
)

#: What a row says of its last trouble.
_TROUBLE = ("error_type", "error", "place")

#: The columns that name a row, and those that a whole one is written with; `due_at` beside them, as the time from now
#: `due_in`.
KEY = ("listener", "event_id")
_COUNTS = ("starts", "failures", "crashes")
WHOLE = (*KEY, "state", *_COUNTS, "reason", "event_name", "event_key", "event_time", "envelope", *_TROUBLE)


def key_of(publication: Publication, **values: object) -> dict[str, object]:
    """Return the parameters that name a publication's row, with others beside."""
    return {"of_listener": publication.listener_id, "of_event": publication.envelope.id, **values}


def bare_row(publication: Publication) -> dict[str, object]:
    """Return the row of a run that is completed or rolled back in one transaction: its event would never be read."""
    return {"listener": publication.listener_id, "event_id": publication.envelope.id}


def row_of(publication: Publication, outcome: Outcome, *, starts: int) -> dict[str, object]:
    """Return the row of a publication that waits, or is given up, with its event."""
    envelope = publication.envelope
    return {
        "listener": publication.listener_id,
        "event_id": envelope.id,
        "state": outcome.state,
        "reason": outcome.reason,
        "starts": starts,
        "failures": outcome.failures,
        "crashes": outcome.crashes,
        "due_in": outcome.due_in,
        "event_name": envelope.type,
        "event_key": envelope.subject,
        "event_time": envelope.time,
        "envelope": write_envelope(envelope),
        **dict.fromkeys(_TROUBLE),
        **trouble_values(outcome.trouble),
    }


def trouble_values(trouble: Trouble | None) -> dict[str, object]:
    """Return what a row says of the last trouble; nothing where there was none, so that an earlier one stays."""
    if trouble is None:
        return {}
    return {"error_type": trouble.type, "error": trouble.text, "place": trouble.place}


def attempt_row(listener_id: str, event_id: str, outcome: str, trouble: Trouble) -> dict[str, object]:
    """Return an entry of a publication's history."""
    return {
        "listener": listener_id,
        "event_id": event_id,
        "outcome": outcome,
        "traceback": trouble.traceback,
        **trouble_values(trouble),
    }


def publication_of(row: Row[Any], *, is_suspect: bool) -> Publication | None:
    """Return the publication of a row, or None where what it holds of the event is no envelope."""
    try:
        envelope = read_envelope(row.envelope)
    except (msgspec.DecodeError, TypeError):
        return None
    return Publication(row.listener, envelope, row.starts, row.failures, row.crashes, is_suspect=is_suspect)


def record_of(module: str, row: Sequence[Any]) -> PublicationRecord:
    """Return what a row of `RECORD_COLUMNS` tells."""
    listener_id, event_id, state, reason, *rest = row
    return PublicationRecord(
        module, listener_id, event_id, State(state), None if reason is None else Reason(reason), *rest
    )
