"""The modules of the application, and the one place where their containers are filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dependency_injector.containers import DeclarativeContainer

from bus import Database, EventBus, Module
from bus.integrations.dependency_injector import fill_container
from modules.kitchen import module as kitchen
from modules.order import module as order
from modules.restaurant import module as restaurant

#: All modules, hosted by this process or not.
MODULES: tuple[Module, ...] = (order, restaurant, kitchen)


def build_containers(
    hosted: Iterable[Module], databases: Mapping[str, Database], bus: EventBus
) -> dict[str, DeclarativeContainer]:
    """Return a container for each hosted module, filled with what the module says it needs."""
    return {module.name: fill_container(bus, module, databases[module.name]) for module in hosted}


def provided(container: DeclarativeContainer, name: str) -> Any:
    """Return what a container provides under a name, or None where it has no such provider."""
    return container.providers[name]() if name in container.providers else None
