"""Putting a bus together from modules, databases and a transport."""

from __future__ import annotations

import logging
import os
import random
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches

from bus.bus import BACKGROUND_THREADS, EventBus
from bus.clock import Clock, IdSource
from bus.database import Database
from bus.envelope import Envelope
from bus.error_handler import ErrorHandler
from bus.errors import BusError, DuplicateNameError, UnknownModuleError, WiringError
from bus.event import Catalogue
from bus.hosting import Surroundings, host, operated
from bus.inbox.announcements import Announcements
from bus.inbox.retention import RETENTION, require_long_enough
from bus.inbox.solitude import Solitude
from bus.life import GRACE
from bus.module import Module
from bus.operations import Operations
from bus.outbox.flow import Flow
from bus.outbox.recorder import Carrier, OutboxRecorder
from bus.reach import Reach
from bus.runtime import Runtime
from bus.transport.base import Transport
from bus.transport.inprocess import InProcessTransport
from bus.wiring import wiring_problems

log = logging.getLogger("bus")

#: The transport inside one process, and the schemes of those over a broker, of which one is for tests.
IN_PROCESS = "inprocess://"
STUB = "dramatiq+stub"
BROKERS = ("dramatiq+amqp", "dramatiq+amqps", "dramatiq+redis", "dramatiq+rediss", STUB)


def assemble(
    modules: Iterable[Module],
    databases: Mapping[str, Database],
    *,
    transport: str | Transport = IN_PROCESS,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    random_source: random.Random | None = None,
    retention: timedelta = RETENTION,
    on_error: ErrorHandler | None = None,
    background_threads: int = BACKGROUND_THREADS,
    grace: float = GRACE,
) -> EventBus:
    """Make a bus that records published events and carries them between modules. Starts nothing.

    The decorated functions in the listener submodules of hosted modules are subscribed; classes come from their
    containers.

    Args:
        modules: Every module of the application; of those that are not hosted only the contract is imported.
        databases: The database of each module that this process hosts, by name.
        transport: A URL, see `make_transport`, or a transport.
        clock: The time; the machine's own by default.
        ids: The identifiers; UUIDv7 by default.
        random_source: The randomness of retries.
        retention: For how long completed publications are remembered; events that were first sent longer ago are
            refused.
        on_error: Takes the failures of plain listeners in place of their publisher; see `EventBus`.
        background_threads: Threads for background listeners, at most.
        grace: Seconds that running listeners have to finish when the process ends.

    Raises:
        RetentionError: The retention is shorter than the time within which an event may be sent again.
        WiringError: A view cannot be read from its event, or a subscriber can never be reached.
        DuplicateNameError: Two modules have one name, or declare one event.
        UnknownModuleError: A database is given for a module that is not among the modules.
    """
    require_long_enough(retention)
    every = list(modules)
    catalogue = _catalogue(every, databases)
    carrier = make_transport(transport) if isinstance(transport, str) else transport
    problems = wiring_problems(catalogue, databases.keys(), is_local=carrier.is_local)
    if problems:
        raise WiringError(problems)
    bus = EventBus(
        catalogue=catalogue,
        owners=databases,
        clock=clock,
        ids=ids,
        on_error=on_error,
        background_threads=background_threads,
        grace=grace,
    )
    around = Surroundings(bus, Solitude(), random_source or random.SystemRandom(), retention)
    _bring_to_life(around, databases, [module.name for module in every], carrier)
    for module in every:
        if module.name in databases:
            _subscribe_functions(bus, module)
    return bus


def _bring_to_life(
    around: Surroundings, databases: Mapping[str, Database], targets: list[str], carrier: Transport
) -> None:
    """Give the bus what records its events and carries them."""
    bus, flow = around.bus, Flow()
    hosted = {name: host(name, database, around) for name, database in databases.items()}
    operated_modules = {name: operated(parts) for name, parts in hosted.items()}
    runtime = Runtime(
        hosted,
        targets,
        carrier,
        flow=flow,
        solitude=around.solitude,
        courtesy=bus.courtesy,
        operations=Operations(operated_modules, bus.clock, around.retention, transport=carrier),
        reach=Reach(carrier, flow, targets, Announcements(bus.signals, bus)),
    )
    bus.record_with(
        OutboxRecorder(
            {name: parts.outbox for name, parts in hosted.items()},
            bus.subscribers_of,
            flow=flow,
            carrier=Carrier(runtime.send_fresh, runtime.wake, _announcer(bus), runtime.give_back),
        )
    )
    bus.live_as(runtime)
    _renew_in_forked_child(runtime)


def make_transport(url: str, application: str = "bus", signing_keys: Sequence[str] = ()) -> Transport:
    """Return the transport that a URL names; it connects to nothing yet.

    Args:
        url: `inprocess://`, or a broker, such as `dramatiq+amqp://HOST`.
        application: What the names of its queues begin with on a broker, which others may share.
        signing_keys: Secrets that all processes share, of which the first signs what goes over a broker; at most two.

    Raises:
        BusError: The scheme is unknown, and the message names the nearest one; or the broker is on another machine
            without TLS, and nothing is signed.
        MissingExtraError: Dramatiq, or the driver of the broker, is not installed.
    """
    scheme, separator, rest = url.partition("://")
    if url == IN_PROCESS:
        return InProcessTransport()
    if separator and scheme in BROKERS and (rest or scheme == STUB):
        # Who stays in one process needs no broker's library.
        from bus.transport.dramatiq.transport import DramatiqTransport

        return DramatiqTransport(url, application=application, signing_keys=signing_keys)
    near = get_close_matches(scheme, ("inprocess", *BROKERS), 1) or ["inprocess"]
    raise BusError(f"the transport {url!r} is unknown; did you mean '{near[0]}://'?")


def _catalogue(modules: list[Module], databases: Mapping[str, Database]) -> Catalogue:
    names = [module.name for module in modules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DuplicateNameError(f"two modules are named {twice[0]!r}; a module's name is its identity in the tables")
    unknown = sorted(databases.keys() - set(names))
    if unknown:
        raise UnknownModuleError(f"a database is given for module {unknown[0]!r}; there are {', '.join(sorted(names))}")
    catalogue = Catalogue()
    for module in modules:
        catalogue.add(module.name, module.contract_classes())
    return catalogue


def _subscribe_functions(bus: EventBus, module: Module) -> None:
    handle = bus.module(module.name)
    for function in module.listener_functions():
        handle.subscribe(function)


def _announcer(bus: EventBus) -> Callable[[Envelope], None]:
    def announce(envelope: Envelope) -> None:
        if bus.signals.published.receivers:
            try:
                bus.signals.published.send(bus, envelope=envelope)
            except Exception:
                # The commit stands, whatever a receiver makes of the news.
                log.exception("a receiver of the signal published failed for event %s", envelope.id)

    return announce


def _renew_in_forked_child(runtime: Runtime) -> None:
    """Have a fork leave the child with a runtime of its own; the hooks hold it weakly."""
    runtime_ref = weakref.ref(runtime)

    def before() -> None:
        if (life := runtime_ref()) is not None:
            life.before_fork()

    def in_parent() -> None:
        if (life := runtime_ref()) is not None:
            life.after_fork_in_parent()

    def in_child() -> None:
        if (life := runtime_ref()) is not None:
            life.after_fork_in_child()

    os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
