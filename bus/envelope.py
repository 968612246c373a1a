"""What travels: an event as written bytes, with its metadata."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """A published event on its way. Attribute names are those of CloudEvents 1.0.

    Attributes:
        id: Identifier of the event, UUIDv7 text.
        source: The module that published it.
        type: The event's name, such as `order.placed`.
        version: The version of the payload's form.
        subject: The key that the event is about, or None.
        time: When it was published, microseconds since the epoch.
        correlationid: Shared by everything that one first event has caused.
        causationid: The event whose listener published this one, or None.
        traceparent: W3C trace context of the publisher, or None.
        data: The payload, JSON in UTF-8.
        ancestry: The names of the published events that led to it, oldest first, without itself.
    """

    id: str
    source: str
    type: str
    version: int
    subject: str | None
    time: int
    correlationid: str
    causationid: str | None
    traceparent: str | None
    data: bytes
    ancestry: tuple[str, ...] = ()
