"""Envelopes as bytes: what a transport carries between processes.

One JSON object with the attribute names of CloudEvents 1.0; the payload stands in it as JSON, not as text.
"""

from __future__ import annotations

import msgspec

from bus.envelope import Envelope
from bus.errors import EnvelopeError

#: The largest message that is read: the largest payload, and as much again for everything else.
MAX_BYTES = 512 * 1024


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The object on the wire."""

    specversion: str
    id: str
    source: str
    type: str
    version: int
    time: int
    correlationid: str
    data: msgspec.Raw
    subject: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    ancestry: tuple[str, ...] = ()


_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(_Message).decode


def write_envelope(envelope: Envelope) -> bytes:
    """Return the envelope as one JSON object in UTF-8."""
    return _write(
        _Message(
            specversion="1.0",
            id=envelope.id,
            source=envelope.source,
            type=envelope.type,
            version=envelope.version,
            time=envelope.time,
            correlationid=envelope.correlationid,
            data=msgspec.Raw(envelope.data),
            subject=envelope.subject,
            causationid=envelope.causationid,
            traceparent=envelope.traceparent,
            ancestry=envelope.ancestry,
        )
    )


def read_envelope(data: bytes) -> Envelope:
    """Return the envelope that was written; its payload is not looked into.

    Raises:
        EnvelopeError: The bytes are no envelope. The message never shows them.
    """
    if len(data) > MAX_BYTES:
        raise EnvelopeError(f"{len(data):,} bytes are more than any envelope has, which is {MAX_BYTES:,}")
    try:
        found = _read(data)
    except msgspec.ValidationError as error:
        raise EnvelopeError(f"JSON, and no envelope: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise EnvelopeError("no JSON in UTF-8") from None
    if found.specversion != "1.0":
        raise EnvelopeError("of another version of CloudEvents than 1.0")
    return Envelope(
        id=found.id,
        source=found.source,
        type=found.type,
        version=found.version,
        subject=found.subject,
        time=found.time,
        correlationid=found.correlationid,
        causationid=found.causationid,
        traceparent=found.traceparent,
        data=bytes(found.data),
        ancestry=found.ancestry,
    )
