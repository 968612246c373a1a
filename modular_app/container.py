"""The modules of the application, and the one place where their containers are filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dependency_injector import providers
from dependency_injector.containers import DeclarativeContainer

from bus import Database, EventBus, Module
from modules.kitchen import module as kitchen
from modules.order import module as order
from modules.restaurant import module as restaurant

#: All modules, hosted by this process or not.
MODULES: tuple[Module, ...] = (order, restaurant, kitchen)


def build_containers(
    hosted: Iterable[Module], databases: Mapping[str, Database], bus: EventBus
) -> dict[str, DeclarativeContainer]:
    """Return a container for each hosted module, filled with what the module says it needs."""
    return {module.name: _build(module, databases[module.name], bus) for module in hosted}


def _build(module: Module, database: Database, bus: EventBus) -> DeclarativeContainer:
    container = module.load_container()
    offered: dict[str, Any] = {
        "database": database,
        "bus": bus.module(module.name),
        "clock": bus.clock,
        "ids": bus.ids,
    }
    needed = {name: providers.Object(given) for name, given in offered.items() if name in container.providers}
    filled: DeclarativeContainer = container(**needed)
    return filled


def provided(container: DeclarativeContainer, name: str) -> Any:
    """Return what a container provides under a name, or None where it has no such provider."""
    return container.providers[name]() if name in container.providers else None
