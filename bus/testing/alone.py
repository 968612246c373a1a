"""A module that is tested alone: its own database, stand-ins for what it hears, and no thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from bus.assembly import assemble
from bus.bus import EventBus
from bus.clock import IdSource
from bus.database import Database
from bus.envelope import Envelope
from bus.errors import BusError
from bus.event import published_name
from bus.inbox.dead_letters import PublicationQuery, PublicationRecord
from bus.inbox.state import Reason, State
from bus.module import Module
from bus.module_bus import ModuleBus
from bus.runtime import Runtime
from bus.serialization import write_payload
from bus.testing.calling_thread import CallingThread
from bus.testing.clock import FakeClock
from bus.testing.published import PublishedEvents
from bus.testing.stand_ins import stand_ins
from bus.testing.transport import RecordingTransport
from bus.unit_of_work import innermost_unit

#: Publications of one state that a test may ask for.
MOST = 10_000


def boot_alone(
    module: Module,
    folder: Path,
    *,
    provide: Mapping[str, object] | None = None,
    clock: FakeClock | None = None,
    ids: IdSource | None = None,
    raise_failures: bool = True,
) -> ModuleUnderTest:
    """Start one module without its neighbours and without threads.

    It gets an SQLite file in the folder, with its tables; stand-ins that publish what it hears; and, where it names
    a container, that container, filled and subscribed. Booted again on the same folder it finds what it has stored.

    Args:
        module: The module.
        folder: Where its database file lies, such as pytest's `tmp_path`.
        provide: What its container depends on beside the database, the bus, the clock and the ids, by name.
        clock: The time; a new `FakeClock` by default.
        ids: The identifiers; UUIDv7 by default.
        raise_failures: Whether what a listener raises reaches the test.

    Raises:
        BusError: The module's contract or listeners are wrong, or the file has other tables.
    """
    clock = clock or FakeClock()
    database = Database.of(module, f"sqlite:///{folder}/{module.name}.db")
    database.create_tables()
    every = [module, *stand_ins(module)]
    bus = assemble(every, {module.name: database}, transport=RecordingTransport(), clock=clock, ids=ids)
    runtime = cast(Runtime, bus.life)  # that is what `assemble` makes
    life = CallingThread(bus, module.name, runtime, [each.name for each in every])
    life.raise_failures = raise_failures
    return ModuleUnderTest(bus, database, clock, life, _container(bus, module, database, provide or {}))


class ModuleUnderTest:
    """One module that runs alone, in the calling thread; a context manager that closes it.

    Attributes:
        bus: The bus with the module and its stand-ins. Its `drain()` runs what is due.
        own: The bus as the module sees it: to publish, and to subscribe further listeners.
        database: The module's database.
        clock: The time, which stands still until it is told to move.
        container: The module's container, or None where it names none.
        events: What the module has published and committed since it was booted.
    """

    def __init__(
        self, bus: EventBus, database: Database, clock: FakeClock, life: CallingThread, container: Any
    ) -> None:
        self.bus = bus
        self.own: ModuleBus = bus.module(database.name)
        self.database = database
        self.clock = clock
        self.container = container
        self.events = PublishedEvents(bus.catalogue)
        self._life = life
        bus.signals.published.connect(self.events.note)

    @property
    def published(self) -> list[object]:
        """What the module has published and committed, as instances of its own classes, in order."""
        return list(self.events)

    @property
    def publications(self) -> list[PublicationRecord]:
        """How each listener fared with each event that was heard, in any state, in the order of the events.

        `bus.operations_of` gives what may be done about them.
        """
        queries = [*map(PublicationQuery, State), PublicationQuery(reason=Reason.DISCARDED)]
        found = [record for query in queries for record in self._life.operations.find(query, limit=MOST)]
        return sorted(found, key=lambda record: (record.event_id, record.listener_id))

    @property
    def transport(self) -> RecordingTransport:
        """What was sent, and what was acknowledged."""
        return self._life.transport

    def hear(self, event: object, **fields: object) -> Envelope:
        """Have the module hear an event, and run its listeners before this returns.

        What the module publishes for itself meanwhile is run too.

        Args:
            event: An instance of the module's view, or the name of the event.
            fields: With a name: the fields that the module's views read.

        Returns:
            The event as it travelled; `deliver` has the module hear the very same once more.

        Raises:
            Exception: Whatever a listener raised, unless failures are not to be raised.
            BusError: The module has no view of the event or no listener for it, or a unit of work is running.
        """
        envelope = self.envelope(event, **fields)
        self.deliver(envelope)
        return envelope

    def deliver(self, envelope: Envelope) -> None:
        """Have the module hear an envelope, as if another process had sent it; run as `hear` says."""
        if innermost_unit() is not None:
            raise BusError("a listener runs in a transaction of its own: have the module hear after the block")
        if not self.bus.module_listeners(self.own.name, envelope.type):
            raise BusError(
                f"module {self.own.name!r} has no module listener for {envelope.type!r}; "
                "subscribe it with `.own.subscribe(…)`"
            )
        self.bus.start()
        self.transport.deliver(self.own.name, envelope)
        self._life.run_due()

    def envelope(self, event: object, **fields: object) -> Envelope:
        """Return an event as the module it comes from would send it; the arguments are those of `hear`."""
        name = event if isinstance(event, str) else published_name(type(event))
        published = self.bus.catalogue.event(name or "")
        if published is None or published.module == self.own.name:
            heard = sorted({view.name for view in self.bus.catalogue.views()})
            what = repr(name or type(event).__qualname__)
            raise BusError(f"module {self.own.name!r} has no view of {what}; it views {', '.join(heard) or 'nothing'}")
        content = published.cls(**fields) if isinstance(event, str) else event
        id = self.bus.ids.new()
        return Envelope(
            id=id,
            source=published.module,
            type=published.type.name,
            version=published.type.version,
            subject=None,
            time=self.clock.microseconds(),
            correlationid=id,
            causationid=None,
            traceparent=None,
            data=write_payload(published.type.name, content),
        )

    def run_due(self) -> None:
        """Run what is due: what the module has published for itself, and retries whose time has come.

        Raises:
            Exception: Whatever a listener raised, unless failures are not to be raised.
        """
        self.bus.start()
        self._life.run_due()

    def close(self) -> None:
        """Close the bus and the database; the file stays."""
        self.bus.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _container(bus: EventBus, module: Module, database: Database, provide: Mapping[str, object]) -> Any:
    if module.container is None:
        return None
    # Only a module with a container needs the extra.
    from bus.integrations.dependency_injector import fill_container, subscribe_container

    container = fill_container(bus, module, database, **provide)
    subscribe_container(bus, module.name, container)
    return container
