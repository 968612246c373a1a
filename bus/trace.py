"""The story of an event: what it caused, module by module, and what still waits for what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bus.clock import Clock
from bus.history.store import RecordedEvent
from bus.inbox.dead_letters import PublicationRecord
from bus.inbox.pauses import Pause
from bus.inbox.state import State
from bus.masking import Masking
from bus.operations import OperatedModule

#: Stories that are named when the beginning of an id means several.
CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class TracedPublication:
    """How one listener fared with an event.

    Attributes:
        record: Its row in the inbox of its module.
        waited: Completed: microseconds from the event to the beginning of the run, or None.
        pause: What keeps it from running, or None.
        known: Whether this build has the listener.
        effects: What the listener has published.
    """

    record: PublicationRecord
    waited: int | None
    pause: Pause | None
    known: bool
    effects: tuple[TracedEvent, ...]


@dataclass(frozen=True, slots=True)
class TracedModule:
    """How one module fared with an event.

    Attributes:
        module: The name.
        owed: Whether the event waits in its publisher's outbox for this module's acknowledgement.
        publications: What stands in the module's inbox; nothing where it has forgotten, or is not hosted here.
        effects: What the module has published because of the event, where it is not known which listener did.
    """

    module: str
    owed: bool
    publications: tuple[TracedPublication, ...]
    effects: tuple[TracedEvent, ...]


@dataclass(frozen=True, slots=True)
class TracedEvent:
    """An event of the story.

    Attributes:
        id: Its id.
        name: Its name.
        version: The version of its payload.
        module: The module that published it.
        key: What it is about; masked where that is personal.
        time: When it was published, microseconds since the epoch.
        causation_id: The event that caused it, or None.
        modules: The modules that have heard it, or have yet to, sorted.
    """

    id: str
    name: str
    version: int
    module: str
    key: str | None
    time: int
    causation_id: str | None
    modules: tuple[TracedModule, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that one first event has caused, as far as the modules hosted here can tell.

    Attributes:
        correlation_id: What all of it shares.
        at: When it was looked at, microseconds since the epoch.
        roots: The events whose cause is none, or is not known here; the first one first.
    """

    correlation_id: str
    at: int
    roots: tuple[TracedEvent, ...]

    @property
    def began_at(self) -> int:
        """When the first event was published, microseconds since the epoch; without events, when it was looked at."""
        return min((event.time for event in self.events()), default=self.at)

    def events(self) -> Iterator[TracedEvent]:
        """Return every event, causes before their effects."""
        return _all_of(self.roots)

    def publications(self) -> Iterator[TracedPublication]:
        """Return every publication, in the order of the events."""
        return (found for event in self.events() for module in event.modules for found in module.publications)

    def owed(self) -> list[tuple[TracedEvent, str]]:
        """Return each event that a module has not acknowledged, with the module."""
        return [(event, module.module) for event in self.events() for module in event.modules if module.owed]

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is going to happen by itself: all is completed, or given up."""
        return not self.owed() and all(found.record.state is not State.RETRYING for found in self.publications())


class Tracer:
    """Tells stories out of the histories and inboxes of the modules that are hosted here."""

    def __init__(self, modules: Mapping[str, OperatedModule], masking: Masking, clock: Clock) -> None:
        self._modules = modules
        self._masking = masking
        self._clock = clock

    def candidates(self, id_prefix: str) -> list[RecordedEvent]:
        """Return the first event of each story that is meant by the beginning of an event's or a story's id.

        A whole id means one story alone. At most ten of each module are returned, sorted by time.
        """
        stories: dict[str, RecordedEvent] = {}
        for parts in self._modules.values():
            for found in parts.history.beginning_with(id_prefix, CANDIDATES + 1):
                known = stories.setdefault(found.envelope.correlationid, found)
                if found.envelope.time < known.envelope.time:
                    stories[found.envelope.correlationid] = found
        return sorted(stories.values(), key=_moment)

    def story(self, correlation_id: str) -> Story:
        """Return the story with this correlation id; without roots where no module hosted here knows it."""
        found = [event for parts in self._modules.values() for event in parts.history.of_story(correlation_id)]
        return _Telling(self._modules, self._masking, sorted(found, key=_moment)).tell(
            correlation_id, self._clock.microseconds()
        )


class _Telling:
    """Builds one story; each event gets one place in it, whatever the causes claim."""

    def __init__(self, modules: Mapping[str, OperatedModule], masking: Masking, events: list[RecordedEvent]) -> None:
        self._modules = modules
        self._masking = masking
        self._events = events
        self._pauses = {pause.target: pause for parts in modules.values() for pause in parts.pauses.all()}
        self._told: set[str] = set()
        self._effects: defaultdict[str, list[RecordedEvent]] = defaultdict(list)
        for event in events:
            self._effects[event.envelope.causationid or ""].append(event)

    def tell(self, correlation_id: str, at: int) -> Story:
        ids = {event.envelope.id for event in self._events}
        roots = [self._event(event) for event in self._events if event.envelope.causationid not in ids]
        # Whatever is left has causes that go round in a circle; its first event stands for its beginning.
        roots += [self._event(event) for event in self._events if event.envelope.id not in self._told]
        return Story(correlation_id, at, tuple(sorted(roots, key=lambda root: (root.time, root.id))))

    def _event(self, event: RecordedEvent) -> TracedEvent:
        envelope = event.envelope
        self._told.add(envelope.id)
        effects = defaultdict[str, list[RecordedEvent]](list)
        for effect in self._effects[envelope.id]:
            effects[effect.envelope.source].append(effect)
        heard = {name: found for name in self._modules if (found := self._publications(name, envelope.id))}
        names = sorted({*event.owed_to, *heard, *effects})
        return TracedEvent(
            id=envelope.id,
            name=envelope.type,
            version=envelope.version,
            module=envelope.source,
            key=self._masking.key(envelope.type, envelope.subject),
            time=envelope.time,
            causation_id=envelope.causationid,
            modules=tuple(self._module(name, event, heard.get(name, []), effects[name]) for name in names),
        )

    def _publications(self, module: str, event_id: str) -> list[PublicationRecord]:
        return self._modules[module].dead_letters.of_event(event_id)

    def _module(
        self, name: str, event: RecordedEvent, heard: list[PublicationRecord], published: list[RecordedEvent]
    ) -> TracedModule:
        by_listener = defaultdict[str | None, list[TracedEvent]](list)
        for effect in published:
            if effect.envelope.id not in self._told:
                by_listener[_publisher(event, heard, effect)].append(self._event(effect))
        known = self._modules[name].listener_ids() if name in self._modules else ()
        publications = tuple(
            TracedPublication(
                record=record,
                waited=_waited(event.envelope.time, record),
                pause=self._pause_of(record),
                known=record.listener_id in known,
                effects=tuple(by_listener[record.listener_id]),
            )
            for record in sorted(heard, key=_end)
        )
        return TracedModule(name, name in event.owed_to, publications, tuple(by_listener[None]))

    def _pause_of(self, record: PublicationRecord) -> Pause | None:
        if record.state is not State.RETRYING:
            return None
        return self._pauses.get(record.module) or self._pauses.get(record.listener_id)


def _publisher(cause: RecordedEvent, heard: list[PublicationRecord], effect: RecordedEvent) -> str | None:
    """Return the listener that published an effect, as far as that can be told: it is not recorded.

    What a run publishes is committed with its completion, so only completed ones count: the only one there is, unless
    plain listeners of the publisher itself may have done it; else the only one that was running at the time.
    """
    completed = [record for record in heard if record.state is State.COMPLETED]
    if len(completed) == 1 and effect.envelope.source != cause.envelope.source:
        return completed[0].listener_id
    running = [record for record in completed if _was_running(record, effect.envelope.time)]
    return running[0].listener_id if len(running) == 1 else None


def _was_running(record: PublicationRecord, at: int) -> bool:
    return record.took is not None and record.due_at - record.took <= at <= record.due_at


def _waited(published_at: int, record: PublicationRecord) -> int | None:
    if record.state is not State.COMPLETED or record.took is None:
        return None
    # Two machines' clocks may differ by more than the event waited.
    return max(0, record.due_at - record.took - published_at)


def _end(record: PublicationRecord) -> tuple[bool, int, str]:
    return record.state is not State.COMPLETED, record.due_at, record.listener_id


def _moment(event: RecordedEvent) -> tuple[int, str]:
    return event.envelope.time, event.envelope.id


def _all_of(events: Iterable[TracedEvent]) -> Iterator[TracedEvent]:
    for event in events:
        yield event
        for module in event.modules:
            for publication in module.publications:
                yield from _all_of(publication.effects)
            yield from _all_of(module.effects)
