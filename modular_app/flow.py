"""What passes between the modules, as the page shows it: the latest events, who heard them, and what waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bus import EventBus
from bus.history.store import RecordedEvent
from bus.inbox.dead_letters import PublicationQuery, PublicationRecord
from bus.inbox.state import Reason, State
from bus.operations import Operations, operations_of
from modular_app.travels import Travels, travels_of
from modular_app.wording import sentence_of, words_of

#: Events that the page shows, and the publications of each module among which their listeners are looked for.
SHOWN, LOOKED_THROUGH = 12, 120


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one listener fared with one event.

    Attributes:
        listener: Its stored id.
        module: The module that it belongs to.
        state: `done`, `failed`, `waits` or `dead`: for the colour.
        words: The same in words.
    """

    listener: str
    module: str
    state: str
    words: str


@dataclass(frozen=True, slots=True)
class Passed:
    """An event on the page.

    Attributes:
        id: The event's own id.
        at: When it was published, with the zone of this machine.
        name: Its name, such as `order.placed`.
        source: The module that published it.
        key: The key that it is about, or None.
        sentence: What happened, in the words of the contract.
        hearings: How the listeners fared that have met it.
        on_its_way: The modules that it has not reached yet.
    """

    id: str
    at: datetime
    name: str
    source: str
    key: str | None
    sentence: str
    hearings: tuple[Hearing, ...]
    on_its_way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fare:
    """How one module fares.

    Attributes:
        module: Its name.
        is_paused: Whether it does not listen just now.
        waiting: Events that wait to be heard, for whatever reason.
        failing: One sentence for each of the first few that failed and are tried again.
        dead: Events that it has given up.
    """

    module: str
    is_paused: bool
    waiting: int
    failing: tuple[str, ...]
    dead: int


class Flow:
    """Reads what the bus has recorded; takes no lock and changes nothing."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def travels(self) -> Travels:
        """Return where events travel now."""
        return travels_of(self._bus.life)

    def fares(self) -> dict[str, Fare]:
        """Return how each hosted module fares."""
        operations = operations_of(self._bus)
        paused = {pause.target for pause in operations.pauses()}
        return {name: self._fare(name, operations, name in paused) for name in operations.modules}

    def events(self) -> list[Passed]:
        """Return the last events of all modules, the newest first."""
        operations = operations_of(self._bus)
        recorded = operations.events(SHOWN)
        records = [record for state in State for record in _of_state(operations, state)]
        return [self._passed(found, records) for found in reversed(recorded)]

    def _fare(self, name: str, operations: Operations, is_paused: bool) -> Fare:
        store = operations.modules[name].dead_letters
        failed = store.find(PublicationQuery(State.RETRYING, reason=Reason.FAILED), limit=3)
        return Fare(
            module=name,
            is_paused=is_paused,
            waiting=store.count(PublicationQuery(State.RETRYING)),
            failing=tuple(
                f"{record.listener_id}: {words_of(record, self._bus.clock.microseconds())}" for record in failed
            ),
            dead=store.count(PublicationQuery(State.DEAD)),
        )

    def _passed(self, recorded: RecordedEvent, records: Iterable[PublicationRecord]) -> Passed:
        envelope = recorded.envelope
        return Passed(
            id=envelope.id,
            at=datetime.fromtimestamp(envelope.time / 1e6, UTC).astimezone(),
            name=envelope.type,
            source=envelope.source,
            key=envelope.subject,
            sentence=sentence_of(self._bus.catalogue, envelope.type),
            hearings=tuple(self._hearing(found) for found in records if found.event_id == envelope.id),
            on_its_way=recorded.owed_to,
        )

    def _hearing(self, record: PublicationRecord) -> Hearing:
        states = {State.COMPLETED: "done", State.DEAD: "dead"}
        state = states.get(record.state, "failed" if record.reason is Reason.FAILED else "waits")
        return Hearing(record.listener_id, record.module, state, words_of(record, self._bus.clock.microseconds()))


def _of_state(operations: Operations, state: State) -> list[PublicationRecord]:
    stores = (parts.dead_letters for parts in operations.modules.values())
    return [record for store in stores for record in store.find(PublicationQuery(state), limit=LOOKED_THROUGH)]
