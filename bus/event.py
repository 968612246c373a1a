"""Published events and views of them, and the catalogue of who owns which.

Any object is an application event. `event` makes a class a published event: named, versioned, recorded.
`event_view` makes a class one module's own reading of an event that another module publishes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from bus.errors import DuplicateNameError, InvalidEventError
from bus.serialization import field_names, require_writable

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class EventType:
    """What `event` said of a class.

    Attributes:
        name: The name on the wire and in the history, such as `order.placed`.
        version: The version of the payload's form, from 1 on.
        key: The field that says what the event is about, or None.
        personal: The fields that hold data of a person; whoever shows an event masks them.
    """

    name: str
    version: int
    key: str | None
    personal: tuple[str, ...] = ()


def event(
    name: str, *, version: int = 1, key: str | None = None, personal: Iterable[str] = ()
) -> Callable[[type[T]], type[T]]:
    """Make a class a published event.

    Such an event is recorded in its module's history when the transaction that publishes it commits, and
    reaches every module that has a view of it.

    Args:
        name: Lower-case words parted by dots, the module first: `order.placed`.
        version: The version of the payload's form.
        key: The field that names the thing the event is about; its text is kept beside the payload.
        personal: The fields that hold data of a person. They are recorded and travel as the others do, and are
            masked wherever an operator looks at events.

    Raises:
        InvalidEventError: The name is malformed, the key or a personal field is no field, or a field cannot be
            written as JSON.
    """
    _require_name(name)
    if version < 1:
        raise InvalidEventError(f"event {name!r}: versions count from 1, not {version}")
    masked = (personal,) if isinstance(personal, str) else tuple(personal)

    def declare(cls: type[T]) -> type[T]:
        require_writable(cls)
        _require_fields(name, cls, "key", [] if key is None else [key])
        _require_fields(name, cls, "personal", masked)
        setattr(cls, "__bus_event__", EventType(name, version, key, masked))  # noqa: B010 - a class of any kind
        return cls

    return declare


def event_view(name: str) -> Callable[[type[T]], type[T]]:
    """Make a class the module's own reading of another module's published event.

    The class holds only the fields that its module needs. It is bound to the event by name, so nothing is
    imported from the publisher; at start the bus checks that it can be read from what the publisher writes.

    Raises:
        InvalidEventError: The name is malformed, or a field cannot be read from JSON.
    """
    _require_name(name)

    def declare(cls: type[T]) -> type[T]:
        require_writable(cls)
        setattr(cls, "__bus_view__", name)  # noqa: B010 - a class of any kind
        return cls

    return declare


def event_type_of(cls: type) -> EventType | None:
    """Return what `event` said of this very class; a subclass of a published event is none by itself."""
    declared: EventType | None = cls.__dict__.get("__bus_event__")
    return declared


def viewed_name_of(cls: type) -> str | None:
    """Return the name of the event that this very class is a view of."""
    name: str | None = cls.__dict__.get("__bus_view__")
    return name


def published_name(cls: type) -> str | None:
    """Return the name of the published event that a class is, or is a view of."""
    declared = event_type_of(cls)
    return declared.name if declared else viewed_name_of(cls)


@dataclass(frozen=True, slots=True)
class Published:
    """A published event in the catalogue: its class and the module that owns it."""

    cls: type
    type: EventType
    module: str


@dataclass(frozen=True, slots=True)
class View:
    """A view in the catalogue: its class, the event's name, and the module that reads it."""

    cls: type
    name: str
    module: str


class Catalogue:
    """Every published event and every view of the application, by module."""

    def __init__(self) -> None:
        self._events: dict[str, Published] = {}
        self._views: list[View] = []
        self._owners: dict[type, str] = {}

    def add(self, module: str, classes: Iterable[type]) -> None:
        """Enter the events and views of a module's contract; other classes are passed over.

        Raises:
            DuplicateNameError: Another class has the event's name already.
        """
        for cls in classes:
            self._require_one_owner(module, cls)
            declared, viewed = event_type_of(cls), viewed_name_of(cls)
            if declared is not None:
                self._add_event(module, cls, declared)
            elif viewed is not None:
                self._views.append(View(cls, viewed, module))
                self._owners[cls] = module

    def _require_one_owner(self, module: str, cls: type) -> None:
        owner = self._owners.get(cls, module)
        if owner != module:
            raise DuplicateNameError(
                f"{_place(cls)}, a class of {published_name(cls)!r}, stands in the contracts of {owner!r} and of "
                f"{module!r}; each module has classes of its own"
            )

    def _add_event(self, module: str, cls: type, declared: EventType) -> None:
        other = self._events.get(declared.name)
        if other is not None and other.cls is not cls:
            raise DuplicateNameError(
                f"event {declared.name!r} is declared twice: by {_place(other.cls)} of module {other.module!r} "
                f"and by {_place(cls)} of module {module!r}; one module owns an event, the others take a view of it"
            )
        self._events[declared.name] = Published(cls, declared, module)
        self._owners[cls] = module

    def event(self, name: str) -> Published | None:
        """Return the published event of that name."""
        return self._events.get(name)

    def published(self, cls: type) -> Published | None:
        """Return the catalogue's entry for an event class, or None where no module's contract has it."""
        declared = event_type_of(cls)
        found = self._events.get(declared.name) if declared else None
        return found if found is not None and found.cls is cls else None

    def owner_of(self, cls: type) -> str | None:
        """Return the module in whose contract the class stands."""
        return self._owners.get(cls)

    def events(self) -> Iterator[Published]:
        """Return the published events, sorted by name."""
        return iter(sorted(self._events.values(), key=lambda found: found.type.name))

    def views(self, name: str | None = None) -> list[View]:
        """Return the views, of one event or of all, in the order in which they were entered."""
        return [view for view in self._views if name is None or view.name == name]


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidEventError(
            f"{name!r} is no event name: lower-case words parted by dots, the module first, such as 'order.placed'"
        )


def _require_fields(name: str, cls: type, what: str, wanted: Iterable[str]) -> None:
    fields = field_names(cls)
    for field in wanted:
        if field not in fields:
            raise InvalidEventError(
                f"event {name!r}: {what} {field!r} is no field of {cls.__qualname__}, which has {fields}"
            )


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
