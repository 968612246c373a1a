"""What was published and committed, as a test asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, overload

from bus.bus import EventBus
from bus.envelope import Envelope
from bus.event import Catalogue, published_name
from bus.serialization import PayloadReader

T = TypeVar("T")


class PublishedEvents(Sequence[object]):
    """The published events of a bus that were committed, as instances of their own classes; thread-safe.

    They stand in the order in which they were published, an effect after its cause, whichever thread told of them
    first. What was rolled back is never among them.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._envelopes: list[Envelope] = []

    @property
    def envelopes(self) -> list[Envelope]:
        """The events as they travel, with their metadata."""
        with self._lock:
            return sorted(self._envelopes, key=lambda envelope: (envelope.time, envelope.id))

    @property
    def names(self) -> list[str]:
        """The names of the events, such as `order.placed`."""
        return [envelope.type for envelope in self.envelopes]

    def of(self, cls: type[T]) -> list[T]:
        """Return the events of one class; given a view, the events that it views, read as the view.

        Raises:
            TypeError: The class is neither a published event nor a view of one.
        """
        name = published_name(cls)
        if name is None:
            raise TypeError(f"{cls.__qualname__} is no published event and no view of one, so it is never recorded")
        reader = PayloadReader(name, cls)
        return [reader.read(envelope.data) for envelope in self.envelopes if envelope.type == name]

    def one(self, cls: type[T], *, matching: Callable[[T], object] | None = None) -> T:
        """Return the one event of a class that matches.

        Raises:
            AssertionError: There is none, or more than one; the message lists what there was.
            TypeError: The class is neither a published event nor a view of one.
        """
        found = [event for event in self.of(cls) if matching is None or matching(event)]
        if len(found) != 1:
            condition = "" if matching is None else " that matches"
            raise AssertionError(f"expected one {published_name(cls)}{condition}, not {len(found)}; {self.told()}")
        return found[0]

    def told(self) -> str:
        """Return what was published, in words, a line for each event."""
        lines = [f"  {envelope.type}: {self._decoded(envelope)!r}" for envelope in self.envelopes]
        return "\n".join(["published:", *lines]) if lines else "nothing was published"

    def note(self, _sender: object, envelope: Envelope) -> None:
        """Receive the bus's signal `published`."""
        with self._lock:
            self._envelopes.append(envelope)

    def __len__(self) -> int:
        return len(self._envelopes)

    def __iter__(self) -> Iterator[object]:
        return (self._decoded(envelope) for envelope in self.envelopes)

    @overload
    def __getitem__(self, index: int) -> object: ...
    @overload
    def __getitem__(self, index: slice) -> list[object]: ...
    def __getitem__(self, index: int | slice) -> object:
        return list(self)[index]

    def _decoded(self, envelope: Envelope) -> object:
        published = self._catalogue.event(envelope.type)
        return envelope if published is None else PayloadReader(envelope.type, published.cls).read(envelope.data)


@contextmanager
def published_events(bus: EventBus) -> Iterator[PublishedEvents]:
    """Record the events that are published on a bus and committed while the block runs, by any thread.

    What the block gave stays readable after it. A listener in another thread may publish later: call
    `bus.drain()` inside the block, or use a `Scenario`.
    """
    events = PublishedEvents(bus.catalogue)
    with bus.signals.published.connected_to(events.note):
        yield events
