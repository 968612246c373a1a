"""The port behind which a module's inbox is kept, and the publication that it keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from bus.envelope import Envelope
from bus.inbox.state import PARKED, Reason, State

#: Stands for the listener of an event for which none could be found yet, because this build cannot read it.
NO_LISTENER = "*"


@dataclass(frozen=True, slots=True)
class Publication:
    """One event for one listener.

    Attributes:
        listener_id: The stored id of the listener.
        envelope: The event.
        starts: Committed marks of a start so far; 0 while the outbox row alone vouches for it.
        failures: Runs that ended with an exception and count.
        crashes: Runs that never ended while nothing else ran in their process.
        is_suspect: Whether a run of it has crashed, so that this one is made alone.
    """

    listener_id: str
    envelope: Envelope
    starts: int = 0
    failures: int = 0
    crashes: int = 0
    is_suspect: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """An exception in a form that every database can store, bounded.

    Attributes:
        type: The name of its class.
        text: The name with what it says.
        place: File, line and function where it was raised.
        traceback: The whole of it.
    """

    type: str
    text: str
    place: str | None
    traceback: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be recorded of a publication that did not complete.

    Attributes:
        state: Retrying or dead.
        reason: Why.
        due_in: Microseconds until the next run; 0 for a dead one.
        failures: Failures so far, this one included if it counts.
        crashes: Crashes so far, this one included if it counts.
        trouble: What happened; None where nothing did.
    """

    state: State
    reason: Reason
    due_in: int
    failures: int
    crashes: int
    trouble: Trouble | None = None

    @property
    def was_run(self) -> bool:
        """Whether the listener has begun, and not only the event been looked at."""
        return self.reason not in (Reason.PAUSED, Reason.UNKNOWN_EVENT, Reason.NEWER_VERSION, Reason.TOO_OLD)

    @property
    def is_attempt(self) -> bool:
        """Whether it belongs in the history; what only waits would fill that up."""
        return self.trouble is not None and self.reason not in (Reason.WAITING, Reason.BUSY, *PARKED)


@dataclass(frozen=True, slots=True)
class ListenerCounts:
    """How many publications of a listener stand in each state.

    Attributes:
        listener_id: The stored id.
        completed: Done, as far as they are remembered.
        open: Retrying, for any reason.
        retrying: The open ones that failed or crashed.
        parked: The open ones that wait for a build which can read them.
        dead: Given up, and not on purpose.
        oldest: When the event of the oldest open one was published, microseconds since the epoch, or None.
        last_error: An error among the open and dead ones, or None.
    """

    listener_id: str
    completed: int
    open: int
    retrying: int
    parked: int
    dead: int
    oldest: int | None
    last_error: str | None


class InboxStore(Protocol):
    """The publications in one module's database. Every time in it comes from the database's clock.

    A row says `retrying`, `completed` or `dead`; `started` is seen by the run's own transaction alone. What it holds of
    an event is cut to what its listener reads, unless that cannot read it, or there is none yet.

    A row that another transaction has added and not committed is no row. Where an implementation does not wait for
    the end of that, `mark`, `start`, `record` and `unpark` raise a PublicationHeldError, and nothing has changed.
    """

    def mark(self, connection: Connection, publication: Publication) -> bool:
        """Commit that the publication is about to run for the first time; False when it has a row already.

        On the connection on which it is started next, which has done nothing else; it is in no transaction then.
        """
        ...

    def start(self, connection: Connection, publication: Publication) -> bool:
        """Take the publication inside the run's transaction; False when it is another's, or done."""
        ...

    def complete(self, connection: Connection, publication: Publication, took: int) -> None:
        """Set the publication completed, as the last statement of the run's transaction.

        Args:
            connection: The run's.
            publication: As it was started.
            took: Microseconds of the run.

        Raises:
            LostPublicationError: The row is not the one that the run started.
        """
        ...

    def record(self, publication: Publication, outcome: Outcome) -> bool:
        """Commit what became of a run that did not complete, or of an event that is not run now.

        What has no mark, and no row, gets its row. Fenced: False, and nothing changes, when somebody else has
        changed the row since the run's mark. An attempt goes into the publication's history.
        """
        ...

    def claim(self, listener_ids: Collection[str]) -> Publication | None:
        """Take the publication of these listeners that is due longest, and commit the mark of its next start.

        Runs that have not ended are left out: see `crashed`.
        """
        ...

    def run_alone(self, publication: Publication) -> bool:
        """Commit that a run that was claimed begins now with nothing beside it; False when it was taken over meanwhile.

        Only a crash after that is its own.
        """
        ...

    def crashed(self, listener_ids: Collection[str], limit: int) -> list[Publication]:
        """Return at most `limit` publications whose run was marked, and has not ended within its lease.

        One is suspect when it ran alone, so that the crash is its own. Takes no lock.
        """
        ...

    def claim_parked(self, versions: Mapping[str, int], due_in: int) -> Publication | None:
        """Take one event that was parked for want of a listener, and that is due and can be read now.

        Args:
            versions: The latest version of each event that this build knows.
            due_in: Microseconds for which those of a still later version are put off.
        """
        ...

    def unpark(self, publication: Publication, listener_ids: Iterable[str]) -> None:
        """Commit that a parked event is due now for each of these listeners, in place of its own row."""
        ...

    def has_due(self, listener_ids: Collection[str], event_names: Collection[str]) -> bool:
        """Say whether a run is due, has crashed, or an event of these names is parked and due; takes no lock."""
        ...

    def retrying(self) -> int:
        """Return how many publications are to run again; takes no lock, and stays cheap beside many completed ones."""
        ...

    def counts(self) -> list[ListenerCounts]:
        """Return the counts by listener, sorted; takes no lock."""
        ...
