"""How the listeners of one module read the events that reach it, and what of an event is kept for one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bus.cutting import cut_payload
from bus.envelope import Envelope
from bus.errors import PayloadError
from bus.event import published_name
from bus.inbox.store import Publication
from bus.listener import Listener
from bus.serialization import PayloadReader


class Views:
    """Knows the type as which each listener reads an event; from any thread."""

    def __init__(self, listeners: Callable[[str | None], tuple[Listener, ...]]) -> None:
        self._listeners = listeners
        self._readers: dict[type, PayloadReader] = {}

    def reader(self, listener: Listener, event_name: str) -> PayloadReader:
        """Return what reads the event for a listener of it.

        Raises:
            PayloadError: The listener no longer hears it.
        """
        cls = next((found for found in listener.types if published_name(found) == event_name), None)
        if cls is None:
            raise PayloadError(f"listener {listener.id!r} does not hear {event_name!r} any more")
        reader = self._readers.get(cls)
        if reader is None:
            reader = self._readers[cls] = PayloadReader(event_name, cls)
        return reader

    def kept(self, publication: Publication) -> Envelope:
        """Return the event without the fields that the publication's listener does not read.

        It stays whole where no listener of this build has the publication, or its view cannot read it: a later build
        may know more.
        """
        envelope = publication.envelope
        for listener in self._listeners(envelope.type):
            if listener.id == publication.listener_id:
                try:
                    return replace(envelope, data=cut_payload(self.reader(listener, envelope.type), envelope.data))
                except PayloadError:
                    return envelope
        return envelope
