"""Publications that a module has given up, or that wait for somebody: asked for, run again, discarded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bus.envelope import Envelope
from bus.inbox.state import Reason, State


@dataclass(frozen=True, slots=True)
class PublicationQuery:
    """Which publications are meant; every part that is given has to hold.

    Attributes:
        state: Dead ones, unless said otherwise.
        listener: The stored id of the listener.
        event_name: The name of the event.
        event_id: The id of the event, or the beginning of it.
        key: The key of the event.
        error_type: The name of the exception, such as `ValueError`.
        place: Where it was raised, as `PublicationRecord.place` has it.
        reason: Why it is in its state; without one a query for dead ones leaves out what was discarded.
        since: Ended, or due, at this moment or later; microseconds since the epoch.
        until: Ended, or due, before this moment.
    """

    state: State = State.DEAD
    listener: str | None = None
    event_name: str | None = None
    event_id: str | None = None
    key: str | None = None
    error_type: str | None = None
    place: str | None = None
    reason: Reason | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class PublicationRecord:
    """One publication as its row tells.

    Attributes:
        module: The module in whose inbox it stands.
        listener_id: The stored id of the listener; `*` where no listener could be found for the event yet.
        event_id: The id of the event.
        state: What became of it.
        reason: Why.
        starts: Runs that have begun, as far as the inbox has marked them.
        failures: Failed runs that count.
        crashes: Crashed runs that count.
        due_at: Retrying: when it runs next; otherwise when it ended. Microseconds since the epoch.
        took: Microseconds of the run that completed it, or None.
        event_name: The name of the event; None for most completed ones.
        key: The key of the event.
        error_type: The name of the last exception.
        error: The last exception with its text.
        place: Where that was raised: file, line and function.
    """

    module: str
    listener_id: str
    event_id: str
    state: State
    reason: Reason | None
    starts: int
    failures: int
    crashes: int
    due_at: int
    took: int | None
    event_name: str | None
    key: str | None
    error_type: str | None
    error: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class DeadLetterGroup:
    """Dead letters of one listener that died of the same error at the same place.

    Attributes:
        count: How many.
        first_at: When the first of them died, microseconds since the epoch.
        last_at: When the last of them did.
        example: The error of one of them with its text.
    """

    module: str
    listener_id: str
    reason: Reason
    error_type: str | None
    place: str | None
    count: int
    first_at: int
    last_at: int
    example: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry in the history of a publication.

    Attributes:
        at: When, microseconds since the epoch.
        outcome: A reason, as in `Reason`: what became of the publication then.
        error_type: The name of the exception, or None.
        error: The exception with its text, or what an operator said.
        place: Where it was raised: file, line and function.
        traceback: The whole of it, bounded.
    """

    at: int
    outcome: str
    error_type: str | None
    error: str | None
    place: str | None
    traceback: str | None


class DeadLetterStore(Protocol):
    """Asks for the publications in one module's inbox, and changes those that nobody is running."""

    def find(self, query: PublicationQuery, *, limit: int) -> list[PublicationRecord]:
        """Return at most `limit` of the publications that match, the newest first; takes no lock."""
        ...

    def of_event(self, event_id: str) -> list[PublicationRecord]:
        """Return every publication of an event, in any state, sorted by listener; takes no lock."""
        ...

    def count(self, query: PublicationQuery) -> int:
        """Return how many match; takes no lock."""
        ...

    def groups(self, query: PublicationQuery) -> list[DeadLetterGroup]:
        """Return them grouped by listener, reason, error and place, the largest group first; takes no lock."""
        ...

    def attempts(self, listener_id: str, event_id: str) -> list[Attempt]:
        """Return the history of one publication, oldest first; takes no lock."""
        ...

    def envelope(self, listener_id: str, event_id: str) -> Envelope | None:
        """Return the event of a publication that still holds it, with the fields that its listener reads, or None."""
        ...

    def redeliver(self, query: PublicationQuery, *, who: str) -> int:
        """Make the dead ones that match due now, as if they had never failed, and commit; return how many."""
        ...

    def discard(self, query: PublicationQuery, *, who: str, why: str) -> int:
        """Give those that match up for good, with who and why in their history, and commit; return how many.

        A publication that is being run is left out.
        """
        ...

    def forget(self, before: int, limit: int) -> int:
        """Delete at most `limit` completed or discarded publications that ended before, with their history; commits."""
        ...

    def forgettable(self, before: int) -> int:
        """Return how many `forget` would delete in the end; takes no lock."""
        ...
