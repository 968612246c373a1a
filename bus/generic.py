"""Listening to a generic class with its parameter bound: which events `Created[Order]` means.

Binding is read from the event's class, as `class OrderCreated(Created[Order])` declares it: an instance of the bare
`Created` does not know what it was made for, and is heard by everybody who listens to any binding.
"""

from __future__ import annotations

import sys
import typing
from typing import Any, Generic, TypeVar


def is_binding(found: Any) -> bool:
    """Say whether it is a generic class with arguments, such as `Created[Order]`."""
    origin = typing.get_origin(found)
    return isinstance(origin, type) and issubclass(origin, Generic)


def class_of(heard: Any) -> type:
    """Return the class that a listener's event type is, or is a binding of."""
    return typing.get_origin(heard) if is_binding(heard) else heard  # type: ignore[no-any-return]  # one of the two


def shown(heard: Any) -> str:
    """Return an event type as it is written in code, without modules."""
    arguments = typing.get_args(heard)
    name = getattr(typing.get_origin(heard) or heard, "__name__", None) or repr(heard)
    return f"{name}[{', '.join(map(shown, arguments))}]" if arguments else name


def receives(heard: Any, cls: type) -> bool:
    """Say whether a listener to an event type receives the instances of a class."""
    origin = class_of(heard)
    if not issubclass(cls, origin):
        return False
    bound = bound_in(cls, origin) if is_binding(heard) else ()
    return not bound or _fit_all(bound, typing.get_args(heard))


def bound_in(cls: type, origin: type) -> tuple[Any, ...]:
    """Return the arguments for which a class stands as a subclass of a generic one; none where it leaves them open."""
    for base in vars(cls).get("__orig_bases__", cls.__bases__):
        parent = typing.get_origin(base) or base
        arguments = tuple(_resolved(found, cls) for found in typing.get_args(base))
        if parent is origin and arguments:
            return arguments
        if parent is not origin and isinstance(parent, type) and issubclass(parent, origin):
            found = bound_in(parent, origin)
            if found:
                return _with(found, dict(zip(getattr(parent, "__parameters__", ()), arguments, strict=False)))
    return ()


def _with(arguments: tuple[Any, ...], known: dict[Any, Any]) -> tuple[Any, ...]:
    """Return the arguments with the type variables replaced that are known."""
    return tuple(_substituted(found, known) for found in arguments)


def _substituted(argument: Any, known: dict[Any, Any]) -> Any:
    if isinstance(argument, TypeVar):
        return known.get(argument, argument)
    inside = getattr(argument, "__parameters__", ())
    return argument[_with(inside, known)] if inside and not isinstance(argument, type) else argument


def _fit_all(bound: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    return len(bound) == len(wanted) and all(map(_fits, bound, wanted))


def _fits(bound: Any, wanted: Any) -> bool:
    """Compare two arguments: they have to be the same, as far as both are known."""
    if bound == wanted or any(found is Any or isinstance(found, TypeVar) for found in (bound, wanted)):
        return True
    is_alike = typing.get_origin(bound) is not None and typing.get_origin(bound) is typing.get_origin(wanted)
    return is_alike and _fit_all(typing.get_args(bound), typing.get_args(wanted))


def _resolved(argument: Any, cls: type) -> Any:
    """Return an argument that is written as text as what the class's module means by it; open where it is nothing."""
    if not isinstance(argument, typing.ForwardRef):
        return argument
    return getattr(sys.modules.get(cls.__module__), argument.__forward_arg__, Any)
