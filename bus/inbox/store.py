"""The port behind which a module's inbox is kept, and the publication that it keeps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from bus.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Publication:
    """One event for one listener.

    Attributes:
        listener_id: The stored id of the listener.
        envelope: The event.
        starts: Committed marks of a start so far; 0 while the outbox row alone vouches for it.
        failures: Runs that ended with an exception.
    """

    listener_id: str
    envelope: Envelope
    starts: int
    failures: int


@dataclass(frozen=True, slots=True)
class ListenerCounts:
    """How many publications of a listener stand in each state."""

    listener_id: str
    completed: int
    retrying: int
    last_error: str | None


class InboxStore(Protocol):
    """The publications in one module's database. Every time in it comes from the database's clock.

    A row says `retrying` or `completed`; `started` is seen by the run's own transaction alone.
    """

    def mark(self, publication: Publication) -> bool:
        """Commit that the publication is about to run for the first time; False when it has a row already."""
        ...

    def start(self, connection: Connection, publication: Publication) -> bool:
        """Take the publication inside the run's transaction; False when it is another's, or done."""
        ...

    def complete(self, connection: Connection, publication: Publication) -> None:
        """Set the publication completed, as the last statement of the run's transaction.

        Raises:
            LostPublicationError: The row is not the one that the run started.
        """
        ...

    def fail(self, publication: Publication, error: str, delay: int) -> bool:
        """Commit that a run failed and is due again in `delay` microseconds.

        Fenced: False, and nothing changes, when somebody else has changed the row since the run's mark.
        """
        ...

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        """Take the publication of these listeners that is due longest, and commit the mark of its next start."""
        ...

    def has_due(self, listener_ids: Collection[str]) -> bool:
        """Say whether `claim` would find one; takes no lock."""
        ...

    def retrying(self) -> int:
        """Return how many publications are to run again; takes no lock, and stays cheap beside many completed ones."""
        ...

    def counts(self) -> list[ListenerCounts]:
        """Return the counts by listener, sorted; takes no lock."""
        ...
