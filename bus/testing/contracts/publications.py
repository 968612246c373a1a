"""Publications as the contracts store them, and what runs them."""

from __future__ import annotations

from bus.database import Database
from bus.errors import PublicationHeldError
from bus.inbox.state import Reason, State
from bus.inbox.store import InboxStore, Outcome, Publication, Trouble
from bus.testing.clock import FakeClock
from bus.testing.contracts.samples import sample

OPEN, BAKE = "kitchen.open_ticket", "kitchen.bake"

TROUBLE = Trouble("ValueError", "ValueError: no dough", "oven.py:7 in bake", "Traceback: no dough")

#: Seconds after which a lease that has not ended never will.
LONGEST_LEASE = 10_000


def publication(number: int = 1, listener_id: str = OPEN, *, starts: int = 0) -> Publication:
    """Return a publication of a sample as it reaches its listener."""
    return Publication(listener_id, sample(number), starts=starts)


def failed(due_in: int = 0, *, failures: int = 1) -> Outcome:
    """Return that a run has failed and is due again in so many seconds."""
    return Outcome(State.RETRYING, Reason.FAILED, due_in * 1_000_000, failures, crashes=0, trouble=TROUBLE)


def crashed(*, crashes: int = 0) -> Outcome:
    """Return that a run has crashed and is due now, alone."""
    return Outcome(State.RETRYING, Reason.CRASHED, 0, failures=0, crashes=crashes, trouble=TROUBLE)


def dead(reason: Reason = Reason.FAILED, trouble: Trouble = TROUBLE) -> Outcome:
    """Return that a publication is given up."""
    return Outcome(State.DEAD, reason, 0, failures=20, crashes=0, trouble=trouble)


def parked(due_in: int = 0) -> Outcome:
    """Return that an event waits for a listener, to be looked at again in so many seconds."""
    return Outcome(State.RETRYING, Reason.UNKNOWN_EVENT, due_in * 1_000_000, failures=0, crashes=0)


class Worker:
    """Runs publications of a store as the inbox does."""

    def __init__(self, store: InboxStore, database: Database, clock: FakeClock) -> None:
        self.store, self.database, self.clock = store, database, clock

    def start(self, found: Publication) -> bool:
        """Start a run and roll it back."""
        with self.database.engine.connect() as connection:
            return self.store.start(connection, found)

    def mark(self, found: Publication) -> bool:
        """Mark, and return whether it did."""
        with self.database.engine.connect() as connection:
            return self.store.mark(connection, found)

    def marks(self, found: Publication) -> bool | None:
        """Mark, and return whether it did; None where another transaction holds the publication."""
        try:
            return self.mark(found)
        except PublicationHeldError:
            return None

    def complete(self, found: Publication) -> None:
        """Run a publication to its good end."""
        with self.database.write() as connection:
            assert self.store.start(connection, found)
            self.store.complete(connection, found, took=5)

    def counted(self, listener_id: str = OPEN) -> dict[str, int]:
        """Return the states of a listener's publications that are not empty, with their counts."""
        found = {each.listener_id: each for each in self.store.counts()}.get(listener_id)
        states = ("completed", "open", "retrying", "parked", "dead")
        return {state: getattr(found, state) for state in states if getattr(found, state, 0)}

    def await_crash(self) -> Publication:
        """Move the clock on until a run that was marked counts as crashed, and return its publication."""
        for _ in range(LONGEST_LEASE):
            found = self.store.crashed([OPEN], 10)
            if found:
                return found[0]
            self.clock.advance(seconds=1)
        raise AssertionError("a run that never ends never counts as crashed")
