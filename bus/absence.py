"""Who does not hear an event, though somebody might think so, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bus.event import Catalogue, Published
from bus.generic import bound_in, class_of, receives, shown
from bus.listener import Kind, Listener


@dataclass(frozen=True, slots=True)
class AbsentListener:
    """A listener, or a whole module, that an event does not reach.

    Attributes:
        name: The id of the listener, or the name of the module.
        why: What keeps the event from it.
    """

    name: str
    why: str


def absent_modules(
    catalogue: Catalogue, published: Published, active: Collection[str | None], hosted: Collection[str]
) -> Iterator[AbsentListener]:
    """Yield the modules that have a view of an event, and no listener of it here."""
    viewing = dict.fromkeys(view.module for view in catalogue.views(published.type.name))
    for module in viewing:
        if module not in active:
            place = "no listener in this process" if module in hosted else "is not hosted in this process"
            yield AbsentListener(module, f"has a view of it, and {place}")


def absent_listeners(
    listeners: Iterable[Listener], cls: type, hearing: Collection[Listener]
) -> Iterator[AbsentListener]:
    """Yield the plain and transactional listeners that are near to hearing a class, and do not."""
    for listener in listeners:
        if listener.declaration.kind is not Kind.MODULE and listener not in hearing:
            reasons = (_why_not(listener, heard, cls) for heard in listener.types)
            why = next(filter(None, reasons), None)
            if why is not None:
                yield AbsentListener(listener.id, why)


def why_passed_over(listener: Listener, event: object) -> str | None:
    """Return why a listener's condition keeps this very event from it, or None where it lets it through."""
    try:
        return None if listener.accepts(event) else "its condition answers false for this event"
    except Exception as error:  # noqa: BLE001 - what the condition raises is the answer to the question
        return f"its condition raises {type(error).__name__} for this event: {error}"


def _why_not(listener: Listener, heard: object, cls: type) -> str | None:
    origin = class_of(heard)
    if receives(heard, cls):
        return (
            f"it belongs to {listener.module}, and what another module publishes is heard by its module listeners only"
        )
    if issubclass(cls, origin):
        bound = ", ".join(map(shown, bound_in(cls, origin)))
        return f"it listens to {shown(heard)}, and this is {origin.__name__}[{bound}]"
    if cls in origin.__mro__:
        return f"it listens to the subclass {shown(heard)} only"
    return None
