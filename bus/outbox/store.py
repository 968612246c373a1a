"""The port behind which a module's history and outbox are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from bus.envelope import Envelope
from bus.status import Owed


@dataclass(frozen=True, slots=True)
class Owing:
    """An event that is owed to a module.

    Attributes:
        target: The module.
        event_id: The event.
        due_in: Microseconds until it is sent by whoever sweeps.
        sends: How often it was sent, the send that follows the commit included.
    """

    target: str
    event_id: str
    due_in: int
    sends: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """An envelope that this process may send now, and how often it was sent, this send included."""

    envelope: Envelope
    sends: int


class OutboxStore(Protocol):
    """The history and the outbox in one module's database. Every time in it comes from the database's clock."""

    def add(self, connection: Connection, envelopes: Sequence[Envelope], owed: Sequence[Owing]) -> None:
        """Write events into the history and what is owed into the outbox; commits nothing itself."""
        ...

    def has(self, event_id: str) -> bool:
        """Say whether the history has an event, after the transaction that may have written it has ended.

        Where that may still be going on, because its client has lost the connection, it is waited for.

        Raises:
            Exception: The database does not answer, or the transaction does not end within some seconds.
        """
        ...

    def due_targets(self, among: Iterable[str]) -> list[str]:
        """Return those of the modules to which something is due now; takes no lock, cheap beside many rows."""
        ...

    def claim(self, target: str, limit: int) -> list[Claimed]:
        """Take at most `limit` due envelopes for a module, oldest first, and commit that they are taken.

        Each is due again after an interval that doubles with every send. No two claims return the same
        envelope before it is due again.
        """
        ...

    def claim_again(self, target: str, event_ids: Collection[str], limit: int) -> list[Claimed]:
        """Take at most `limit` of these envelopes that were sent and are due again, as `claim` does."""
        ...

    def postpone(self, target: str, event_ids: Collection[str]) -> None:
        """Give those that are due, and are known to wait for their run, one more first interval. Commits."""
        ...

    def acknowledge(self, received: Iterable[tuple[str, str]]) -> None:
        """Delete what was received, as pairs of target and event id, and commit; idempotent."""
        ...

    def release(self, target: str, event_ids: Iterable[str]) -> None:
        """Take back a send that did not happen: due at once, not counted. Commits."""
        ...

    def still_owed(self, target: str, event_ids: Collection[str]) -> set[str]:
        """Return which of these events are owed to a module still; takes no lock."""
        ...

    def owed(self) -> list[Owed]:
        """Return what is owed by target, sorted; takes no lock."""
        ...
