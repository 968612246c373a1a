"""Which delivery the code here is part of: the ids that a listener may need for other systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from bus.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Delivery:
    """One run of one module listener.

    Attributes:
        listener_id: The stored id of the listener.
        envelope: The event as it travelled, with its metadata.
        attempt: Which run this is, from 1 on.
    """

    listener_id: str
    envelope: Envelope
    attempt: int

    @property
    def event_id(self) -> str:
        """The id of the event."""
        return self.envelope.id

    @property
    def correlation_id(self) -> str:
        """The id that everything shares which one first event has caused."""
        return self.envelope.correlationid

    @property
    def idempotency_key(self) -> str:
        """A key for calls to other systems: the same at every run of this listener for this event."""
        return f"{self.listener_id}:{self.envelope.id}"


_delivery: ContextVar[Delivery | None] = ContextVar("bus_delivery", default=None)


def current_delivery() -> Delivery | None:
    """Return the delivery whose module listener is running here, or None outside of one."""
    return _delivery.get()


@contextmanager
def delivering(delivery: Delivery) -> Iterator[None]:
    """Make this the current delivery until the block ends."""
    token = _delivery.set(delivery)
    try:
        yield
    finally:
        _delivery.reset(token)
