"""The compiled plan: who is called for one concrete event type, resolved once and then only run.

A plan is a function of the event. The common case, plain listeners alone, is a loop over bound functions:
every test that can be made beforehand is made when the plan is compiled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from blinker import Signal

from bus.context import caused_by
from bus.envelope import Envelope
from bus.error_handler import ErrorHandler, guarded
from bus.errors import NoTransactionError
from bus.event import Published
from bus.listener import Kind, Listener, Phase
from bus.pending import PendingEvents
from bus.unit_of_work import UnitOfWork, innermost_unit

log = logging.getLogger("bus")

Plan = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Route:
    """What is known of an event type before the first event of it.

    Attributes:
        cls: The concrete type.
        listeners: Everybody in this process who receives it, in the order of the calls; no module listeners.
        signals: The blinker signals with receivers that match it.
        published: The catalogue's entry, where it is a published event.
        owner: The database of the module that owns it.
    """

    cls: type
    listeners: tuple[Listener, ...]
    signals: tuple[Signal, ...]
    published: Published | None
    owner: object

    def of_kind(self, kind: Kind) -> tuple[Listener, ...]:
        """Return the listeners of one kind."""
        return tuple(found for found in self.listeners if found.declaration.kind is kind)


@dataclass(frozen=True, slots=True)
class Steps:
    """What a plan needs of its bus."""

    republish: Callable[[object], None]
    send: Callable[[Signal, object], None]
    pending: Callable[[UnitOfWork], PendingEvents]
    record: Callable[[PendingEvents, Published, Any], Envelope]
    in_background: Callable[[Listener, object], None]
    run_transactional: Callable[[Listener, object], None]
    on_error: ErrorHandler | None


def compile_plan(route: Route, steps: Steps) -> Plan:
    """Return the function that delivers events of the route's type."""
    deferred = route.of_kind(Kind.TRANSACTIONAL)
    immediate = _sequence(_calls(route.of_kind(Kind.PLAIN), route.signals, steps), steps.republish)
    if route.published is not None:
        return _recording(route, steps, immediate, deferred)
    if deferred:
        return _deferring(route, steps, immediate, deferred)
    return immediate


def _calls(listeners: Sequence[Listener], signals: Sequence[Signal], steps: Steps) -> tuple[Callable[[Any], Any], ...]:
    def to(signal: Signal) -> Callable[[Any], Any]:
        return lambda event: steps.send(signal, event)

    return (*(_call_of(found, steps) for found in listeners), *(to(signal) for signal in signals))


def _call_of(listener: Listener, steps: Steps) -> Callable[[Any], Any]:
    call = _at_once(listener, steps)
    if steps.on_error is None:
        return call
    # What its reply causes is a part of its run.
    return guarded(listener.id, _single(call, steps.republish), steps.on_error)


def _sequence(calls: tuple[Callable[[Any], Any], ...], republish: Callable[[object], None]) -> Plan:
    if len(calls) == 1:
        return _single(calls[0], republish)

    def call_each(event: Any) -> None:
        for call in calls:
            reply = call(event)
            if reply is not None:
                republish(reply)

    return call_each


def _single(call: Callable[[Any], Any], republish: Callable[[object], None]) -> Plan:
    def call_one(event: Any) -> None:
        reply = call(event)
        if reply is not None:
            republish(reply)

    return call_one


def _recording(route: Route, steps: Steps, immediate: Plan, deferred: tuple[Listener, ...]) -> Plan:
    published, owner = cast(Published, route.published), route.owner
    is_heard = bool(route.listeners or route.signals)

    def record(event: Any) -> None:
        unit = innermost_unit()
        if unit is None or unit.owner is not owner:
            raise NoTransactionError(_outside_transaction(published))
        pending = steps.pending(unit)
        envelope = steps.record(pending, published, event)
        if not is_heard:
            return
        with caused_by(envelope):
            immediate(event)
            for listener in deferred:
                pending.defer(event, listener)

    return record


def _deferring(route: Route, steps: Steps, immediate: Plan, deferred: tuple[Listener, ...]) -> Plan:
    without_transaction = _fallback(route, steps)

    def defer(event: Any) -> None:
        unit = innermost_unit()
        if unit is None:
            without_transaction(event)
            return
        immediate(event)
        pending = steps.pending(unit)
        for listener in deferred:
            pending.defer(event, listener)

    return defer


def _fallback(route: Route, steps: Steps) -> Plan:
    strict = [found for found in route.of_kind(Kind.TRANSACTIONAL) if not found.declaration.fallback_execution]
    if not strict:
        return _sequence(_calls(route.listeners, route.signals, steps), steps.republish)

    def refuse(_event: Any) -> None:
        raise NoTransactionError(
            f"{route.cls.__qualname__} was published outside a transaction, but {strict[0].id} waits for the end of "
            "one; publish inside `with database.transaction():` or a @transactional method, or let the listener "
            "run at once with fallback_execution=True"
        )

    return refuse


def _at_once(listener: Listener, steps: Steps) -> Callable[[Any], Any]:
    """Return the call of a listener that runs now."""
    call = listener.call
    if listener.declaration.background:
        call = partial(steps.in_background, listener)
    elif listener.declaration.kind is Kind.TRANSACTIONAL:
        call = partial(_run_without_transaction, listener, steps)
    if listener.declaration.condition is None:
        return call
    return lambda event: call(event) if listener.accepts(event) else None


def _run_without_transaction(listener: Listener, steps: Steps, event: Any) -> None:
    if listener.declaration.phase is Phase.AFTER_ROLLBACK:
        log.warning("listener %s runs without any transaction, and none was rolled back", listener.id)
    steps.run_transactional(listener, event)


def _outside_transaction(published: Published) -> str:
    name, module = published.type.name, published.module
    return (
        f"event {name!r} was published outside a unit of work of module {module!r}, so it could not be recorded "
        "with the change that it tells of; publish inside `with database.transaction():` or a @transactional "
        f"method, on {module}'s database"
    )
