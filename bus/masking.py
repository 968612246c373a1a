"""Events as an operator may see them: without what `@event(personal=…)` says of a person."""

from __future__ import annotations

from typing import Any

from bus.envelope import Envelope
from bus.errors import PayloadError
from bus.event import Catalogue, EventType
from bus.serialization import read_plain, written_names

#: Stands where something is hidden.
MASK = "***"


class Masking:
    """Hides personal data by what the catalogue of this build says.

    What the build does not know, it hides: an event that is in no contract, and a field that the event's class does
    not have (any more).
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def payload(self, envelope: Envelope) -> Any:
        """Return the payload as plain data with the personal fields masked; masked whole where it is no object."""
        found = self._catalogue.event(envelope.type)
        try:
            data = read_plain(envelope.data) if found else None
        except PayloadError:
            return MASK
        if found is None or not isinstance(data, dict):
            return MASK
        shown = _shown(found.cls, found.type)
        return {name: value if name in shown else MASK for name, value in data.items()}

    def key(self, event_name: str | None, key: str | None) -> str | None:
        """Return the key of an event of that name, masked where it is, or may be, personal."""
        found = None if event_name is None else self._catalogue.event(event_name)
        declared = None if found is None else found.type
        if key is None or (declared is not None and declared.key not in (None, *declared.personal)):
            return key
        return MASK


def _shown(cls: type, declared: EventType) -> set[str]:
    return {written for name, written in written_names(cls).items() if name not in declared.personal}
