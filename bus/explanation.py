"""Who listens to an event, how, and in what order: the answer to "why did this not run?"."""

from __future__ import annotations

from dataclasses import dataclass

from bus.event import Catalogue, Published
from bus.listener import LAST, Kind, Listener
from bus.registry import Registry


@dataclass(frozen=True, slots=True)
class ExplainedListener:
    """One listener of an event, in the words of its declaration."""

    id: str
    kind: str
    module: str | None
    phase: str | None
    order: int | None
    conditional: bool
    function: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who receives an event.

    Attributes:
        event: The published event's name, or the class of an application event.
        module: The module that owns it, or None.
        version: The version of the payload, or None for an application event.
        listeners: In the order of the calls; module listeners last, each in a transaction of its own.
        subscribed: The modules that have a view of it; each gets its own copy of the event.
        silent: Modules that have a view and no listener for it in this process.
    """

    event: str
    module: str | None
    version: int | None
    listeners: tuple[ExplainedListener, ...]
    subscribed: tuple[str, ...]
    silent: tuple[str, ...]

    def __str__(self) -> str:
        """Return the explanation as lines to read."""
        head = self.event if self.module is None else f"{self.event} v{self.version}, published by {self.module}"
        lines = [head] + [f"  {_sentence(number, found)}" for number, found in enumerate(self.listeners, 1)]
        if not self.listeners:
            lines.append("  nobody listens in this process")
        lines += [f"  - {module} has a view of it, and no listener in this process" for module in self.silent]
        return "\n".join(lines)


def explain(registry: Registry, catalogue: Catalogue, event: type | str) -> Explanation:
    """Return who receives an event class, or the published event of a name.

    Raises:
        LookupError: No published event has that name; the message lists those that there are.
    """
    published = catalogue.event(event) if isinstance(event, str) else catalogue.published(event)
    if isinstance(event, str) and published is None:
        names = ", ".join(found.type.name for found in catalogue.events()) or "none"
        raise LookupError(f"no published event is named {event!r}; there are {names}")
    if published is not None:
        return _of_published(registry, catalogue, published)
    cls = event if isinstance(event, type) else type(event)
    found = tuple(_explained(listener) for listener in registry.receivers_of(cls))
    return Explanation(f"{cls.__module__}.{cls.__qualname__}", None, None, found, (), ())


def _of_published(registry: Registry, catalogue: Catalogue, published: Published) -> Explanation:
    name = published.type.name
    durable = registry.module_listeners(event_name=name)
    listeners = (*registry.receivers_of(published.cls), *durable)
    subscribed = tuple(dict.fromkeys(view.module for view in catalogue.views(name)))
    active = {listener.module for listener in durable}
    return Explanation(
        name,
        published.module,
        published.type.version,
        tuple(_explained(listener) for listener in listeners),
        subscribed,
        tuple(module for module in subscribed if module not in active),
    )


def _explained(listener: Listener) -> ExplainedListener:
    declared = listener.declaration
    return ExplainedListener(
        id=listener.id,
        kind=declared.kind.value,
        module=listener.module,
        phase=declared.phase.value if declared.kind is Kind.TRANSACTIONAL else None,
        order=None if declared.order == LAST else declared.order,
        conditional=declared.condition is not None,
        function=listener.name,
    )


def _sentence(number: int, found: ExplainedListener) -> str:
    when = {
        Kind.PLAIN.value: "at once, in the publisher's transaction",
        Kind.MODULE.value: f"after commit, durably, in {found.module}'s own transaction",
    }.get(found.kind, f"{found.phase} of the publisher's transaction")
    extras = [f"order {found.order}"] if found.order is not None else []
    extras += ["if its condition holds"] if found.conditional else []
    return ", ".join([f"{number}. {found.id}: {when}", *extras])
