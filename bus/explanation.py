"""Who listens to an event, how, and in what order: the answer to "why did this not run?"."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bus.absence import AbsentListener, absent_listeners, absent_modules, why_passed_over
from bus.event import Catalogue, Published, viewed_name_of
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
    background: bool
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
        absent: Listeners and modules that it does not reach, though one might think so, and why.
    """

    event: str
    module: str | None
    version: int | None
    listeners: tuple[ExplainedListener, ...]
    subscribed: tuple[str, ...]
    absent: tuple[AbsentListener, ...]

    def __str__(self) -> str:
        """Return the explanation as lines to read."""
        head = self.event if self.module is None else f"{self.event} v{self.version}, published by {self.module}"
        lines = [head] + [f"  {_sentence(number, found)}" for number, found in enumerate(self.listeners, 1)]
        if not self.listeners:
            lines.append("  nobody listens in this process")
        lines += [f"  - {found.name}: {found.why}" for found in self.absent]
        return "\n".join(lines)


def explain(registry: Registry, catalogue: Catalogue, hosted: Collection[str], event: object) -> Explanation:
    """Return who receives an event class, the published event of a name, or one event.

    Raises:
        LookupError: No published event has that name; the message lists those that there are.
    """
    question = _question(catalogue, event)
    published = question.published
    name = published.type.name if published else f"{question.cls.__module__}.{question.cls.__qualname__}"
    near = registry.receivers_of(question.cls)
    durable = registry.module_listeners(event_name=name) if published else ()
    passed_over = question.passed_over(near)
    absent = [*passed_over.values(), *absent_listeners(registry.listeners, question.cls, near)]
    if published:
        absent += absent_modules(catalogue, published, {found.module for found in durable}, hosted)
    return Explanation(
        name,
        published.module if published else None,
        published.type.version if published else None,
        tuple(_explained(found) for found in (*near, *durable) if found not in passed_over),
        tuple(dict.fromkeys(view.module for view in catalogue.views(name))),
        tuple(absent),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked about: a class, the published event that it is or reads, and one event of it."""

    cls: type
    published: Published | None
    events: tuple[object, ...] = ()

    def passed_over(self, listeners: Iterable[Listener]) -> dict[Listener, AbsentListener]:
        asked = ((found, why_passed_over(found, event)) for event in self.events for found in listeners)
        return {found: AbsentListener(found.id, why) for found, why in asked if why is not None}


def _question(catalogue: Catalogue, event: object) -> _Question:
    if isinstance(event, str):
        return _named(catalogue, event)
    cls = event if isinstance(event, type) else type(event)
    viewed = viewed_name_of(cls)
    if viewed is not None and catalogue.event(viewed) is not None:
        return _named(catalogue, viewed)
    return _Question(cls, catalogue.published(cls), () if isinstance(event, type) else (event,))


def _named(catalogue: Catalogue, name: str) -> _Question:
    published = catalogue.event(name)
    if published is None:
        names = ", ".join(found.type.name for found in catalogue.events()) or "none"
        raise LookupError(f"no published event is named {name!r}; there are {names}")
    return _Question(published.cls, published)


def _explained(listener: Listener) -> ExplainedListener:
    declared = listener.declaration
    return ExplainedListener(
        id=listener.id,
        kind=declared.kind.value,
        module=listener.module,
        phase=declared.phase.value if declared.kind is Kind.TRANSACTIONAL else None,
        order=None if declared.order == LAST else declared.order,
        conditional=declared.condition is not None,
        background=declared.background,
        function=listener.name,
    )


def _sentence(number: int, found: ExplainedListener) -> str:
    when = {
        Kind.PLAIN.value: "at once, in the publisher's transaction",
        Kind.MODULE.value: f"after commit, durably, in {found.module}'s own transaction",
    }.get(found.kind, f"{found.phase} of the publisher's transaction")
    if found.background:
        when = "at once, in the background, in no transaction"
    extras = [f"order {found.order}"] if found.order is not None else []
    extras += ["if its condition holds"] if found.conditional else []
    return ", ".join([f"{number}. {found.id}: {when}", *extras])
