"""Reading what a module has published: the port of its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bus.envelope import Envelope


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event in a module's history, with its place there.

    Attributes:
        position: Rises with every event of the module.
        envelope: The event.
        owed_to: The modules that have not acknowledged it yet.
    """

    position: int
    envelope: Envelope
    owed_to: tuple[str, ...]


class HistoryStore(Protocol):
    """The history in one module's database; read only, takes no lock."""

    def last(self, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return at most `limit` of the last events, of one name or of all, oldest first."""
        ...

    def following(self, position: int, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return at most `limit` of the first events after a position, of one name or of all, oldest first."""
        ...

    def of_story(self, correlation_id: str) -> list[RecordedEvent]:
        """Return every event with this correlation id, in the order of the history."""
        ...

    def beginning_with(self, id_prefix: str, limit: int) -> list[RecordedEvent]:
        """Return the first event of each of at most `limit` stories, in the order of the history.

        A story is meant when its correlation id, or the id of an event of it, begins so; of the events that have
        such an id themselves, or whose story has, the first is returned.
        """
        ...
