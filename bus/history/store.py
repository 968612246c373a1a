"""Reading what a module has published: the port of its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bus.envelope import Envelope


class Place(NamedTuple):
    """Where in a history an event stands, or a reader: what follows a place has a higher one.

    Attributes:
        transaction: Rises with the transactions that write, in the order in which they began to.
        position: Rises with every event of the module.
    """

    transaction: int
    position: int


#: Before every event.
BEGINNING = Place(0, 0)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What keeps readers from committed events.

    Attributes:
        writer: The transaction that has not ended; another one has another number.
        microseconds: How long ago the oldest of those events was published, by the clock of its publisher.
    """

    writer: int
    microseconds: int


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event in a module's history, with its place there.

    Attributes:
        place: For a reader that goes on after it.
        envelope: The event.
        owed_to: The modules that have not acknowledged it yet.
    """

    place: Place
    envelope: Envelope
    owed_to: tuple[str, ...]

    @property
    def position(self) -> int:
        """Its number in the history: rises with every event of the module."""
        return self.place.position


class HistoryStore(Protocol):
    """The history in one module's database; read only, takes no lock."""

    def last(self, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return at most `limit` of the last events, of one name or of all, oldest first."""
        ...

    def following(self, place: Place, limit: int, *, name: str | None = None) -> list[RecordedEvent]:
        """Return at most `limit` of the first events after a place, of one name or of all, by their places.

        Whoever goes on after the last of them misses none: an event is told only when no other can come before it.
        """
        ...

    def end(self) -> Place:
        """Return where a reader stands who wants only what is still to come."""
        ...

    def held_back(self) -> HeldBack | None:
        """Return what holds back a committed event that `following` does not tell, or None where all are told.

        It is a transaction that began to write before it, and has not ended.
        """
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
