"""What a listener is, and the three decorators that declare one.

A decorator only marks the function; nothing is registered until a bus subscribes it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeVar, overload

from bus.errors import InvalidListenerError
from bus.generic import shown
from bus.retry import RetryPolicy
from bus.signature import event_types_of, is_event_type, takes_event

F = TypeVar("F", bound=Callable[..., Any])

#: The order of a listener that names none: after all that do.
LAST = 2**31 - 1


class Phase(Enum):
    """When a transactional listener runs, in relation to the end of the publisher's transaction."""

    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    AFTER_ROLLBACK = "after rollback"
    AFTER_COMPLETION = "after completion"


class Kind(Enum):
    """How a listener is called."""

    PLAIN = "listener"
    TRANSACTIONAL = "transactional listener"
    MODULE = "module listener"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a decorator said of a function."""

    kind: Kind
    types: tuple[type, ...] = ()
    id: str | None = None
    order: int = LAST
    condition: Callable[[Any], bool] | None = None
    phase: Phase = Phase.AFTER_COMMIT
    fallback_execution: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    background: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """A declared function made ready for one bus.

    Attributes:
        id: Given, or the qualified name with the types it listens to.
        types: The event types that it receives, with their subclasses: classes, and generic ones with arguments.
        call: Takes an event that it accepts; resolves the instance first where a provider stands behind it.
        target: What makes two registrations the same one.
        module: The module that it belongs to, or None.
    """

    id: str
    name: str
    types: tuple[type, ...]
    declaration: Declaration
    call: Callable[[Any], Any]
    target: object
    module: str | None
    sequence: int = field(default=0)

    @property
    def rank(self) -> tuple[int, int]:
        """Sort key: lower orders first, equal ones in the order of registration."""
        return self.declaration.order, self.sequence

    def accepts(self, event: object) -> bool:
        """Ask its condition, where it has one."""
        condition = self.declaration.condition
        return condition is None or bool(condition(event))

    def numbered(self, sequence: int) -> Listener:
        """Return this listener with its place in the order of registration."""
        return replace(self, sequence=sequence)


@overload
def listener(
    *types: type,
    order: int = LAST,
    condition: Callable[[Any], bool] | None = None,
    background: bool = False,
    id: str | None = None,
) -> Callable[[F], F]: ...
@overload
def listener(function: F, /) -> F: ...
def listener(
    *types: Any,
    order: int = LAST,
    condition: Callable[[Any], bool] | None = None,
    background: bool = False,
    id: str | None = None,
) -> Any:
    """Declare a function or method that runs at once, in the publisher's thread and transaction.

    Its exception reaches the publisher unchanged and ends the dispatch, unless the bus has an error handler. What
    it returns, unless None, is published as a new event.

    In the background it runs on a thread of the bus, with a copy of the publisher's context variables: at once,
    whatever becomes of the publisher's transaction, and outside of it. It is not durable. Its exception goes to the
    error handler, else to the log, never to the publisher; what it returns goes nowhere; after `bus.close()` publish
    raises StoppedError instead of calling it.

    Args:
        types: The event types; without them the parameter's annotation says which.
        order: Lower runs first; listeners without one run last, in the order of their registration.
        condition: Asked with each event, in the publisher's thread; the listener is passed over where it answers false.
        background: Run it on a thread of the bus, in the order of the calls as far as threads are free.
        id: A name to remove it by; otherwise the qualified name with the types.
    """
    declared = Declaration(Kind.PLAIN, order=order, condition=condition, background=background, id=id)
    return _decorate(types, declared)


@overload
def transactional_listener(
    *types: type,
    phase: Phase = Phase.AFTER_COMMIT,
    fallback_execution: bool = False,
    order: int = LAST,
    condition: Callable[[Any], bool] | None = None,
    id: str | None = None,
) -> Callable[[F], F]: ...
@overload
def transactional_listener(function: F, /) -> F: ...
def transactional_listener(
    *types: Any,
    phase: Phase = Phase.AFTER_COMMIT,
    fallback_execution: bool = False,
    order: int = LAST,
    condition: Callable[[Any], bool] | None = None,
    id: str | None = None,
) -> Any:
    """Declare a function or method that is bound to the end of the publisher's transaction.

    BEFORE_COMMIT runs inside the transaction and may write; its exception rolls back. The AFTER phases run
    when the connection is back in its pool; their exceptions are logged, and the outcome stands. What it returns
    goes nowhere.

    Args:
        types: The event types; without them the parameter's annotation says which.
        phase: When it runs.
        fallback_execution: Run it at once where no transaction runs; otherwise that is an error.
        order: Lower runs first within the phase.
        condition: Asked with each event in the phase; the listener is passed over where it answers false.
        id: A name to remove it by.
    """
    declared = Declaration(
        Kind.TRANSACTIONAL,
        phase=phase,
        fallback_execution=fallback_execution,
        order=order,
        condition=condition,
        id=id,
    )
    return _decorate(types, declared)


def module_listener(id: str, *, order: int = LAST, retry: RetryPolicy | None = None) -> Callable[[F], F]:
    """Declare a function or method that reacts durably to a published event, usually another module's.

    It runs after the publisher's commit, on a worker of its own module, in a unit of work on its own module's
    database; what it writes and publishes there happens once per event. It fails on its own: the publisher
    never hears of it, and the publication is tried again as its retry policy says, until it is a dead letter.

    Args:
        id: The stored name, `module.reaction`, such as `kitchen.open_ticket`. It outlives renames of the
            function: change it, and publications under the old name find no listener.
        order: Lower runs first among the module's listeners of one event.
        retry: What becomes of failures; without one the defaults of `RetryPolicy`.
    """
    if not isinstance(id, str) or "." not in id:
        raise InvalidListenerError(
            f"@module_listener needs a stored id of the form 'module.reaction', not {id!r}: "
            '@module_listener("kitchen.open_ticket")'
        )
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise InvalidListenerError(f"{id}: a policy is written as retry=RetryPolicy(…), not {retry!r}")
    decorate: Callable[[F], F] = _decorate(
        (), Declaration(Kind.MODULE, id=id, order=order, retry=retry or RetryPolicy())
    )
    return decorate


def declaration_of(function: object) -> Declaration | None:
    """Return what a decorator said of a function, or None."""
    declared = getattr(function, "__bus_listener__", None)
    return declared if isinstance(declared, Declaration) else None


def listener_of_function(function: Callable[..., Any], module: str | None) -> Listener:
    """Make a decorated function, or a bound method of a decorated one, ready for a bus.

    Raises:
        InvalidListenerError: It is not decorated, or could never be called rightly.
    """
    declared = declaration_of(function)
    if declared is None:
        raise InvalidListenerError(
            f"{name_of(function)} is no listener: put @listener, @transactional_listener or @module_listener above it"
        )
    types = event_types_of(function, declared.types, bound=True)
    call = function if takes_event(function, bound=True) else _without_event(function)
    owner = getattr(function, "__self__", None)
    target = function if owner is None else (id(owner), function.__name__)
    return _build(function, declared, types, call, target, module)


def listeners_of_instance(instance: object, module: str | None) -> list[Listener]:
    """Make every decorated method of an object ready for a bus."""
    return [
        replace(
            _of_method(type(instance), name, declared, lambda: instance, module),
            target=(id(instance), name),
        )
        for name, declared in _declared_methods(type(instance))
    ]


def listeners_of_class(cls: type, provider: Callable[[], Any], module: str | None) -> list[Listener]:
    """Make every decorated method of a class ready, with the instance taken from the provider at each dispatch."""
    return [_of_method(cls, name, declared, provider, module) for name, declared in _declared_methods(cls)]


def _decorate(types: tuple[Any, ...], declared: Declaration) -> Any:
    if len(types) == 1 and inspect.isroutine(types[0]):
        return _mark(types[0], declared)
    wrong = [found for found in types if not is_event_type(found)]
    if wrong:
        raise InvalidListenerError(f"a listener's event types are classes, not {wrong[0]!r}")
    return lambda function: _mark(function, replace(declared, types=types))


def _mark(function: F, declared: Declaration) -> F:
    function.__bus_listener__ = declared  # type: ignore[attr-defined]  # the mark that `declaration_of` reads
    return function


def _declared_methods(cls: type) -> Iterator[tuple[str, Declaration]]:
    """Yield each method that the class or a base of it declares; an override without decorator still counts."""
    names = dict.fromkeys(name for owner in reversed(cls.__mro__) for name in vars(owner))
    for name in names:
        marks = (declaration_of(vars(owner).get(name)) for owner in cls.__mro__)
        declared = next((mark for mark in marks if mark is not None), None)
        if declared is not None:
            yield name, declared


def _of_method(
    cls: type, name: str, declared: Declaration, provider: Callable[[], Any], module: str | None
) -> Listener:
    function = getattr(cls, name)
    bound = isinstance(inspect.getattr_static(cls, name), classmethod | staticmethod)
    types = event_types_of(function, declared.types, bound=bound)
    with_event = takes_event(function, bound=bound)

    def call(event: object) -> Any:
        instance = provider()
        if instance is None:
            return None
        method = getattr(instance, name)
        return method(event) if with_event else method()

    return _build(function, declared, types, call, (provider, name), module)


def _build(  # noqa: PLR0917 - the parts of one value
    function: Callable[..., Any],
    declared: Declaration,
    types: tuple[type, ...],
    call: Callable[[Any], Any],
    target: object,
    module: str | None,
) -> Listener:
    given = declared.id or f"{name_of(function)}({', '.join(map(shown, types))})"
    return Listener(given, name_of(function), types, declared, call, target, module)


def _without_event(function: Callable[[], Any]) -> Callable[[Any], Any]:
    return functools.wraps(function)(lambda _event: function())


def name_of(function: object) -> str:
    """Return the qualified name of a function, or what it says of itself where it has none."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    return f"{module}.{name}" if name else repr(function)
