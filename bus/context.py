"""What caused that which happens here: the trace, the events that led here, and the delivery that is running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace

from bus.cascade import Link, this_thread
from bus.envelope import Envelope
from bus.errors import BusError

#: Characters of a correlation id that the history has room for.
MAX_CORRELATION = 200

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Trace:
    """What an event that is published here will say of its cause.

    Attributes:
        correlation_id: Shared by everything that one first event or request has caused; None: an event begins its own.
        causation_id: The id of the event whose listener runs here, or None.
        traceparent: W3C trace context, or None.
    """

    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None


#: Nobody has said anything of the cause.
NO_TRACE = Trace(None, None, None)


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
    def causation_id(self) -> str | None:
        """The id of the event that caused the one which is delivered, or None."""
        return self.envelope.causationid

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context of the publisher, or None."""
        return self.envelope.traceparent

    @property
    def idempotency_key(self) -> str:
        """A key for calls to other systems: the same at every run of this listener for this event."""
        return f"{self.listener_id}:{self.envelope.id}"


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of what happens here.

    Attributes:
        trace: The ids, or None where nobody has said any.
        ancestry: The names of the published events that led here, oldest first.
        delivery: The run of a module listener that this is a part of, or None.
    """

    trace: Trace | None = None
    ancestry: tuple[str, ...] = ()
    delivery: Delivery | None = None


_cause: ContextVar[Cause] = ContextVar("bus_cause", default=Cause())  # noqa: B039 - it is frozen


@dataclass(frozen=True, slots=True)
class Moment:
    """What had led to one place in one thread, to be gone on with at another time or in another thread."""

    cause: Cause
    chain: tuple[Link, ...]


def current_cause() -> Cause:
    """Return the cause of what happens here."""
    return _cause.get()


def current_trace() -> Trace | None:
    """Return the ids that an event published here will carry, or None where it begins a story of its own."""
    return _cause.get().trace


def current_delivery() -> Delivery | None:
    """Return the delivery whose module listener is running here, or None outside of one."""
    return _cause.get().delivery


@contextmanager
def trace_context(correlation_id: str | None = None, traceparent: str | None = None) -> Iterator[None]:
    """Have the events that are published in this block share an id from outside, of a request or a job.

    What is not given stays as it is around the block.

    Args:
        correlation_id: At most 200 characters.
        traceparent: W3C trace context, version 00.

    Raises:
        BusError: One of them has another form.
    """
    if correlation_id is not None and not 0 < len(correlation_id) <= MAX_CORRELATION:
        raise BusError(f"a correlation id has 1 to {MAX_CORRELATION} characters, not {len(correlation_id)}")
    if traceparent is not None and not is_traceparent(traceparent):
        raise BusError(
            f"{traceparent!r} is no W3C traceparent: 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case"
        )
    cause = _cause.get()
    around = cause.trace or NO_TRACE
    inside = replace(
        around,
        correlation_id=correlation_id or around.correlation_id,
        traceparent=traceparent or around.traceparent,
    )
    with _Caused(replace(cause, trace=None if inside == NO_TRACE else inside)):
        yield


def is_traceparent(text: str) -> bool:
    """Say whether a text is a W3C traceparent of version 00 that names a trace and a parent."""
    return _TRACEPARENT.fullmatch(text) is not None


def caused_by(envelope: Envelope) -> AbstractContextManager[None]:
    """Return the block in which a published event is the cause of what happens."""
    return _Caused(_caused_by(envelope, _cause.get().delivery))


def delivering(delivery: Delivery) -> AbstractContextManager[None]:
    """Return the block in which this is the current delivery, and its event the cause."""
    cause = _caused_by(delivery.envelope, delivery)
    return resumed(Moment(cause, cause.ancestry))


def this_moment() -> Moment:
    """Return what has led here."""
    return Moment(_cause.get(), tuple(this_thread.chain))


def resumed(moment: Moment) -> AbstractContextManager[None]:
    """Return the block that goes on from a moment: it has led there, and nothing else."""
    return _Resumed(moment)


def _caused_by(envelope: Envelope, delivery: Delivery | None) -> Cause:
    trace = Trace(envelope.correlationid, envelope.id, envelope.traceparent)
    return Cause(trace, (*envelope.ancestry, envelope.type), delivery)


class _Caused(AbstractContextManager[None]):
    """A block whose cause this is."""

    def __init__(self, cause: Cause) -> None:
        self._cause = cause

    def __enter__(self) -> None:
        self._token: Token[Cause] = _cause.set(self._cause)

    def __exit__(self, *_error: object) -> None:
        _cause.reset(self._token)


class _Resumed(_Caused):
    """A block to which nothing but a moment has led."""

    def __init__(self, moment: Moment) -> None:
        super().__init__(moment.cause)
        self._chain = list(moment.chain)

    def __enter__(self) -> None:
        super().__enter__()
        self._around, this_thread.chain = this_thread.chain, self._chain

    def __exit__(self, *_error: object) -> None:
        this_thread.chain = self._around
        super().__exit__()
