"""Listener classes from dependency-injector containers.

A class that a provider of the container makes, and that has decorated methods, is registered with that provider:
the instance is asked for at every dispatch, never at registration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bus.bus import EventBus
from bus.database import Database
from bus.module import Module

try:
    from dependency_injector import containers, providers
except ImportError as error:
    from bus.errors import MissingExtraError

    raise MissingExtraError(
        "dependency-injector is not installed; pip install 'modular-bus[dependency-injector]'"
    ) from error


def fill_container(bus: EventBus, module: Module, database: Database, **others: object) -> Any:
    """Return a module's container, filled with what it depends on: `database`, `bus`, `clock`, `ids` and others.

    It gets only what it has a provider for.

    Raises:
        UnknownModuleError: The module is not hosted here.
    """
    container = module.load_container()
    offered = {"database": database, "bus": bus.module(module.name), "clock": bus.clock, "ids": bus.ids, **others}
    return container(
        **{name: providers.Object(given) for name, given in offered.items() if name in container.providers}
    )


def subscribe_container(bus: EventBus, module: str, container: containers.Container) -> tuple[str, ...]:
    """Register every listener class of a module's container; return the ids of the listeners.

    Raises:
        InvalidListenerError: A decorated method could never be called rightly.
        UnknownModuleError: The module is not hosted here.
    """
    handle = bus.module(module)
    return tuple(id for cls, provider in provided_classes(container) for id in handle.subscribe_provider(cls, provider))


def provided_classes(
    container: containers.Container,
) -> Iterator[tuple[type, providers.Provider[Any]]]:
    """Yield each class that a provider of the container makes, with the provider, in the order of their names.

    Where several providers make one class, the first of them stands for it: a listener runs once.
    """
    found: dict[type, providers.Provider[Any]] = {}
    for _, provider in sorted(container.providers.items()):
        made = getattr(provider, "provides", None)
        if isinstance(made, type):
            found.setdefault(made, provider)
    yield from found.items()
