"""The event bus: who listens, and the dispatch of one event to them."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import Any, cast

from blinker import Signal

from bus.cascade import MAX_DEPTH, this_thread, too_deep
from bus.clock import Clock, IdSource, SystemClock, Uuid7Source
from bus.context import NO_TRACE, Moment, current_cause, resumed, this_moment
from bus.courtesy import Courtesy
from bus.envelope import Envelope
from bus.error_handler import ErrorHandler, guarded
from bus.errors import BusError, ForeignEventError, InvalidListenerError, UnknownModuleError
from bus.event import Catalogue, Published, event_type_of, published_name
from bus.executor import Executor
from bus.explanation import Explanation, explain
from bus.failpoint import failpoint
from bus.life import GRACE, Life
from bus.lifecycle import Lifecycle
from bus.listener import Listener, listener_of_function, listeners_of_class, listeners_of_instance, name_of
from bus.module_bus import ModuleBus
from bus.observation import ListenerCall, ListenerObserver, observed
from bus.pending import PendingEvents, Recorder
from bus.plan import Plan, Route, Steps, compile_plan
from bus.registry import Registry
from bus.serialization import write_payload
from bus.signals import BusSignals
from bus.unit_of_work import UnitOfWork, innermost_unit

#: Threads for background listeners: they wait for other systems more than they compute.
BACKGROUND_THREADS = 4


class _Plans(dict[type, Plan]):
    """The plans by concrete event type; a missing one is compiled at its first event."""

    def __init__(self, compile_for: Callable[[type], Plan]) -> None:
        self._compile = compile_for

    def __missing__(self, cls: type) -> Plan:
        return self._compile(cls)


class EventBus:
    """Delivers events to listeners in one process, and records published ones for the other modules.

    A bus stands alone: two of them in one process share nothing. It may be used from many threads; `subscribe`
    and `unsubscribe` take effect with the next publish.

    Alone it carries application events. `bus.assembly.assemble` makes one with modules and databases, which
    carries published events too.

    An error handler takes the failures of listeners in place of the publisher: `EventBus(on_error=handler)`. It is
    called for each one that fails, the others run, and only what the handler raises itself reaches the publisher.
    BEFORE_COMMIT listeners go on rolling back, and a unit of work whose database refused something still fails.
    Failures of background listeners go to it as well, on their own threads.

    Attributes:
        signals: What the bus announces of its own life.
        catalogue: The published events and views of every module.
        courtesy: Is told of the requests that are answered in this process, which module listeners give way to.
        grace: Seconds that running listeners have to finish when the bus ends.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue | None = None,
        owners: Mapping[str, object] | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        on_error: ErrorHandler | None = None,
        background_threads: int = BACKGROUND_THREADS,
        grace: float = GRACE,
    ) -> None:
        self._on_error = on_error
        self._lifecycle = Lifecycle(self, Executor(background_threads))
        self.signals = BusSignals()
        self.grace = grace
        self.courtesy = Courtesy()
        self.catalogue = catalogue or Catalogue()
        self.clock = clock or SystemClock()
        self.ids = ids or Uuid7Source(self.clock)
        self.registry = Registry(self.catalogue)
        self._owners = dict(owners or {})
        self._recorder: Recorder | None = None
        self._observers: tuple[ListenerObserver, ...] = ()
        self._lock = threading.RLock()
        self._signals: dict[type, Signal] = {}
        self._plans = _Plans(self._compile)
        self._module_listeners: dict[tuple[str, str | None], tuple[Listener, ...]] = {}
        self._subscribers: dict[str, tuple[str, ...]] = {}
        self._steps = Steps(
            self._republish,
            self._send,
            self._pending,
            self._record,
            self._in_background,
            self._run_transactional,
            on_error,
        )

    def publish(self, event: object) -> None:
        """Deliver an event: plain listeners run now, in this thread, in order; then it returns.

        Transactional listeners wait for their phase of the running unit of work. A published event is written
        as JSON now and recorded when the unit of work commits; its module listeners run after that.

        Raises:
            NoTransactionError: The event needs a running unit of work of its module, and there is none.
            CascadeError: More than 32 events have caused one another.
            TooManyEventsError: The unit of work has more than 10,000 rows of events and of what is owed.
            PayloadError: A published event cannot be written as JSON, or is larger than 256 KiB.
            Exception: Whatever a plain listener raised, the same object; the listeners after it are not called.
                With an error handler: what the handler raised.
        """
        cls = type(event)
        chain = this_thread.chain
        if len(chain) >= MAX_DEPTH:
            raise too_deep((*chain, cls))
        chain.append(cls)
        try:
            self._plans[cls](event)
        finally:
            chain.pop()

    def subscribe(self, target: object, *, module: str | None = None) -> tuple[str, ...]:
        """Register a decorated function, or every decorated method of an object; return the ids.

        The bus holds it strongly. What is registered already is not registered again.

        Raises:
            InvalidListenerError: It could never be called rightly; the message says why.
            DuplicateNameError: Another listener has the id that was given to it.
        """
        return self._add(self._listeners_of(target, module))

    def subscribe_provider(
        self, cls: type, provider: Callable[[], Any], *, module: str | None = None
    ) -> tuple[str, ...]:
        """Register every decorated method of a class whose instance the provider returns at each dispatch.

        Where the provider returns None the listener is passed over.
        """
        return self._add(listeners_of_class(cls, provider, module))

    def unsubscribe(self, which: str | Callable[[Listener], bool]) -> int:
        """Remove the listeners with an id, or those that a predicate accepts; return how many."""
        with self._lock:
            removed = self.registry.remove(which)
            self._forget()
        return removed

    def signal(self, cls: type) -> Signal:
        """Return the blinker signal of an event type; its receivers run after the listeners.

        A receiver is called with the bus as the sender and the event as `event`; receivers of a base class get
        the subclasses' events too. They are held as blinker holds them: weakly, unless told otherwise.
        """
        with self._lock:
            found = self._signals.get(cls)
            if found is None:
                found = self._signals[cls] = Signal(cls.__qualname__)
                found.receiver_connected.connect(self._forget_plans, weak=False)
                found.receiver_disconnected.connect(self._forget_plans, weak=False)
        return found

    def module(self, name: str) -> ModuleBus:
        """Return the handle with which one module publishes and listens."""
        if name not in self._owners:
            raise UnknownModuleError(f"no module {name!r} is hosted here; there are {', '.join(sorted(self._owners))}")
        return ModuleBus(self, name)

    def observe(self, observer: ListenerObserver) -> None:
        """Tell an observer of each call of a transactional listener from now on; the first one is outermost."""
        with self._lock:
            self._observers = (*self._observers, observer)

    def explain(self, event: object) -> Explanation:
        """Say who listens to an event, how and in what order, and who does not and why.

        Args:
            event: A class, the name of a published event, or one event, for which the conditions are asked.

        Raises:
            LookupError: No published event has that name.
        """
        return explain(self.registry, self.catalogue, self._owners.keys(), event)

    def module_listeners(self, module: str, event_name: str | None = None) -> tuple[Listener, ...]:
        """Return a module's durable listeners, of one event or of all, in the order of their runs."""
        key = (module, event_name)
        found = self._module_listeners.get(key)
        if found is None:
            with self._lock:
                found = self._module_listeners[key] = self.registry.module_listeners(module, event_name)
        return found

    def subscribers_of(self, event_name: str) -> tuple[str, ...]:
        """Return the modules that get a copy of a published event: those with a view, and its own if it listens."""
        found = self._subscribers.get(event_name)
        if found is None:
            with self._lock:
                viewing = [view.module for view in self.catalogue.views(event_name)]
                listening = [found.module for found in self.registry.module_listeners(event_name=event_name)]
                found = tuple(dict.fromkeys(name for name in (*viewing, *listening) if name is not None))
                self._subscribers[event_name] = found
        return found

    @property
    def life(self) -> Life:
        """Start, drain, stop and state of what the bus runs beside the publishers."""
        return self._lifecycle.life

    def record_with(self, recorder: Recorder) -> None:
        """Record published events with this recorder from now on."""
        self._recorder = recorder

    def live_as(self, life: Life) -> None:
        """Start, drain and stop this from now on."""
        self._lifecycle.life = life

    def after_fork(self) -> None:
        """Begin with locks and threads of its own in a forked child: those of the parent are not there."""
        self._lock = threading.RLock()
        self._lifecycle.after_fork()

    def start(self) -> None:
        """Start what runs beside the publishers, if it does not run yet; safe to call at every request.

        Whoever really starts it publishes BusStarted. A closed bus stays closed, in silence: a request that is
        still being served at the interpreter's exit starts nothing.

        Raises:
            Exception: Whatever a listener of BusStarted raised; the bus runs.
        """
        self._lifecycle.start()

    def drain(self, timeout: float = 30.0) -> None:
        """Start if need be, and wait until no hosted module owes or retries anything.

        Raises:
            DrainTimeoutError: Something is still owed after `timeout` seconds; nothing of it is lost.
            StoppedError: The bus is closed.
            BusError: A unit of work is running here: it would wait for its own commit.
        """
        if innermost_unit() is not None:
            raise BusError("drain() inside a unit of work waits for its own commit; drain after the block")
        self._lifecycle.drain(timeout)

    def stop(self, grace: float | None = None) -> None:
        """Take nothing new, give running listeners their grace, and end the threads that carry events.

        What has not ended by then is given back. Where it ran, BusStopped is published. It may be started again.

        Raises:
            BusError: A module listener called it, which would wait for its own end.
        """
        self._lifecycle.stop(self.grace if grace is None else grace)

    def close(self, grace: float | None = None) -> None:
        """End for good: publish BusClosed, stop, and end the threads of the background listeners.

        Running listeners have one grace in all. Published events are recorded after it as before, for
        whoever runs next. A bus that was started closes by itself when the interpreter exits. Safe to call again.

        Raises:
            BusError: A module listener or a background one called it, which would wait for its own end.
        """
        self._lifecycle.close(self.grace if grace is None else grace)

    def _listeners_of(self, target: object, module: str | None) -> list[Listener]:
        if inspect.isroutine(target):
            return [listener_of_function(target, module)]
        if isinstance(target, type):
            raise InvalidListenerError(
                f"{target.__qualname__} is a class; subscribe an instance of it, or the class with a provider of "
                "instances: `bus.subscribe_provider(Class, provider)`"
            )
        found = listeners_of_instance(target, module)
        if not found:
            raise InvalidListenerError(f"{target!r} is no function and has no method with a listener's decorator")
        return found

    def _add(self, found: list[Listener]) -> tuple[str, ...]:
        with self._lock:
            added = self.registry.add(found)
            self._forget()
        return added

    def _compile(self, cls: type) -> Plan:
        with self._lock:
            published = self.catalogue.published(cls)
            if published is None and published_name(cls) is not None:
                return self._refuse_unowned
            route = Route(
                cls,
                self.registry.receivers_of(cls),
                tuple(signal for base, signal in self._signals.items() if issubclass(cls, base) and signal.receivers),
                published,
                self._owners.get(published.module) if published else None,
            )
            plan = self._plans[cls] = compile_plan(route, self._steps)
        return plan

    def _forget_plans(self, _signal: Signal, **_details: object) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        """Forget what was resolved from the listeners; the next event resolves it again."""
        self._plans.clear()
        self._module_listeners.clear()
        self._subscribers.clear()

    def _refuse_unowned(self, event: object) -> None:
        cls = type(event)
        if event_type_of(cls) is None:
            raise ForeignEventError(
                f"{cls.__qualname__} is a view of {published_name(cls)!r}, an event of another module: it is only read"
            )
        raise ForeignEventError(
            f"published event {published_name(cls)!r} stands in no module's contract, so nobody can record it; put its "
            "class into the contract of the module that publishes it"
        )

    def _republish(self, reply: Any) -> None:
        # A named tuple is one event; only the plain collections hold several.
        elements = reply if type(reply) in (list, tuple, set, frozenset) else (reply,)
        for element in elements:
            if element is not None:
                self.publish(element)

    def _send(self, signal: Signal, event: object) -> None:
        if self._on_error is None:
            signal.send(self, event=event)
            return
        # Each receiver is a listener of its own: one that fails does not keep the event from the others.
        for receiver in () if signal.is_muted else tuple(signal.receivers_for(self)):
            guarded(name_of(receiver), partial(self._tell, receiver), self._on_error)(event)

    def _tell(self, receiver: Callable[..., object], event: object) -> None:
        if inspect.iscoroutinefunction(receiver):
            raise BusError(f"receiver {name_of(receiver)} is an async function, which nobody would await: write `def`")
        receiver(self, event=event)

    def _run_transactional(self, listener: Listener, event: object) -> None:
        observed(self._observers, ListenerCall(listener.id, listener.declaration.phase, event), listener.call)

    def _in_background(self, listener: Listener, event: object) -> None:
        run = listener.call if self._on_error is None else guarded(listener.id, listener.call, self._on_error)
        job = partial(_go_on, this_moment(), run, event)
        self._lifecycle.run_in_background(listener.id, partial(copy_context().run, job))

    def _pending(self, unit: UnitOfWork) -> PendingEvents:
        return cast(
            PendingEvents, unit.participant(self, lambda: PendingEvents(unit, self._recorder, self._run_transactional))
        )

    def _record(self, pending: PendingEvents, published: Published, event: object) -> Envelope:
        data = write_payload(published.type.name, event)
        envelope = self._envelope(published, event, data)
        pending.record(envelope, owed=len(self.subscribers_of(envelope.type)))
        failpoint("publish.recorded")
        return envelope

    def _envelope(self, published: Published, event: object, data: bytes) -> Envelope:
        cause = current_cause()
        if len(cause.ancestry) >= MAX_DEPTH:
            raise too_deep((*cause.ancestry, published.type.name))
        trace = cause.trace or NO_TRACE
        id = self.ids.new()
        key = published.type.key
        return Envelope(
            id=id,
            source=published.module,
            type=published.type.name,
            version=published.type.version,
            subject=None if key is None else str(getattr(event, key)),
            time=self.clock.microseconds(),
            correlationid=trace.correlation_id or id,
            causationid=trace.causation_id,
            traceparent=trace.traceparent,
            data=data,
            ancestry=cause.ancestry,
        )


def _go_on(moment: Moment, run: Callable[[Any], Any], event: object) -> None:
    with resumed(moment):
        run(event)
