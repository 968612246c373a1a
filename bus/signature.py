"""Reading from a function's signature which events it listens to."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from bus.errors import InvalidListenerError


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
    _require_plain(function, name)
    parameters = _parameters(function, bound=bound)
    if len(parameters) > 1:
        found = ", ".join(parameter.name for parameter in parameters)
        raise InvalidListenerError(
            f"{name} takes {len(parameters)} parameters ({found}); a listener takes the event and nothing else: "
            "hand its other dependencies to the constructor of its class"
        )
    if explicit:
        return explicit
    if not parameters:
        raise InvalidListenerError(
            f"{name} takes no parameter and names no event type; annotate a parameter, `def {function.__name__}"
            f"(event: OrderPlaced)`, or name the type in the decorator, `@listener(OrderPlaced)`"
        )
    return _annotated_types(function, parameters[0], name)


def _require_plain(function: Callable[..., Any], name: str) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidListenerError(f"{name} is an async function; the bus calls listeners in threads: write `def`")
    if inspect.isgeneratorfunction(function):
        raise InvalidListenerError(f"{name} is a generator, its body would never run; return a list instead")


def _parameters(function: Callable[..., Any], *, bound: bool) -> list[inspect.Parameter]:
    found = list(inspect.signature(function).parameters.values())
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
    wrong = [part for part in found if not isinstance(part, type) or typing.get_origin(part) is not None]
    if wrong:
        raise InvalidListenerError(f"{name} listens to {wrong[0]!r}, which is no class; annotate the event's class")
    return found


def _resolved(function: Callable[..., Any], parameter: str, name: str) -> Any:
    plain = inspect.unwrap(function)
    local_names = inspect.getclosurevars(getattr(plain, "__func__", plain)).nonlocals
    try:
        return typing.get_type_hints(plain, localns=dict(local_names))[parameter]
    except NameError as error:
        raise InvalidListenerError(
            f"{name}: the annotation of {parameter!r} cannot be resolved ({error}); define the type at the top "
            "of its file, or name it in the decorator, `@listener(OrderPlaced)`"
        ) from error
