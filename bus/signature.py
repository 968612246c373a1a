"""Reading from a function's signature which events it listens to."""

from __future__ import annotations

import contextlib
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from bus.errors import BusError, InvalidListenerError
from bus.generic import class_of, is_binding, shown

_BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)


def takes_event(function: Callable[..., Any], *, bound: bool) -> bool:
    """Say whether the function has a parameter for the event, beside an unbound `self`."""
    return bool(_parameters(function, bound=bound))


def event_types_of(function: Callable[..., Any], explicit: tuple[type, ...], *, bound: bool) -> tuple[type, ...]:
    """Return the event types that a listener receives: the explicit ones, else those of its annotation.

    Raises:
        InvalidListenerError: It is asynchronous or a generator, takes more than one parameter, or says nowhere
            what it listens to. The message names the function and the mend.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    require_plain(function, InvalidListenerError)
    parameters = _parameters(function, bound=bound)
    if len(parameters) > 1:
        found = ", ".join(parameter.name for parameter in parameters)
        raise InvalidListenerError(
            f"{name} takes {len(parameters)} parameters ({found}); a listener takes the event and nothing else: "
            "hand its other dependencies to the constructor of its class"
        )
    if explicit:
        for cls in explicit:
            _require_event_class(cls, name)
        return explicit
    if not parameters:
        raise InvalidListenerError(
            f"{name} takes no parameter and names no event type; annotate a parameter, `def {function.__name__}"
            f"(event: OrderPlaced)`, or name the type in the decorator, `@listener(OrderPlaced)`"
        )
    return _annotated_types(function, parameters[0], name)


def require_plain(function: Callable[..., Any], error: type[BusError]) -> None:
    """Raise the error for a function whose body does not run when it is called."""
    name = f"{function.__module__}.{function.__qualname__}"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise error(f"{name} is an async function; the bus calls it in a thread and waits for its end: write `def`")
    if inspect.isgeneratorfunction(function):
        raise error(f"{name} is a generator, its body would not run when it is called; return a list instead")


def _parameters(function: Callable[..., Any], *, bound: bool) -> list[inspect.Parameter]:
    found = list(inspect.signature(function).parameters.values())
    named = [parameter.name for parameter in found if parameter.kind in _BY_NAME]
    if named:
        raise InvalidListenerError(
            f"{function.__module__}.{function.__qualname__} takes {', '.join(named)} by name; the bus hands a listener "
            "the event by position, and no other parameter: `def react(event: OrderPlaced)`"
        )
    return found if bound else found[1:]


def _annotated_types(function: Callable[..., Any], parameter: inspect.Parameter, name: str) -> tuple[type, ...]:
    if parameter.annotation is inspect.Parameter.empty:
        raise InvalidListenerError(
            f"{name} does not say what it listens to; annotate its parameter, `{parameter.name}: OrderPlaced`, "
            "or name the type in the decorator, `@listener(OrderPlaced)`"
        )
    annotation = _resolved(function, parameter.name, name)
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    found = typing.get_args(annotation) if is_union else (annotation,)
    for part in found:
        _require_event_class(part, name)
    return found


def _require_event_class(found: Any, name: str) -> None:
    if found is Any:
        raise InvalidListenerError(f"{name} listens to Any, which is no class; annotate `object` to hear everything")
    if not is_event_type(found):
        raise InvalidListenerError(f"{name} listens to {found!r}, which is no class; annotate the event's class")
    try:
        issubclass(object, class_of(found))
    except TypeError as error:
        raise InvalidListenerError(
            f"{name} listens to {shown(found)}, and no class can be asked whether it is one: {error}"
        ) from error


def is_event_type(found: Any) -> bool:
    """Say whether it is a class, or a generic class with its parameters bound."""
    return is_binding(found) or (isinstance(found, type) and typing.get_origin(found) is None)


def _globals_of(function: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(function, "__func__", function).__globals__
    return found


def _enclosing_names(function: Any) -> dict[str, Any]:
    """Return what the function's own closure holds, where a type may be found that was defined around it."""
    plain = getattr(function, "__func__", function)
    found = {}
    for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def _resolved(function: Callable[..., Any], parameter: str, name: str) -> Any:
    plain = inspect.unwrap(function)
    try:
        # Only this annotation: what the function says that it returns need not be known here.
        alone = types.SimpleNamespace(__annotations__={parameter: plain.__annotations__[parameter]})
        return typing.get_type_hints(alone, _globals_of(plain), _enclosing_names(plain))[parameter]
    except (NameError, AttributeError, TypeError) as error:
        raise InvalidListenerError(
            f"{name}: the annotation of {parameter!r} cannot be resolved ({error}); define the type at the top "
            "of its file, or name it in the decorator, `@listener(OrderPlaced)`"
        ) from error
