"""The bus of the application that is being served, and what an operator works with of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from flask import current_app

from bus.bus import EventBus
from bus.errors import BusError
from bus.integrations.settings import Setting
from bus.operations import Operations

#: The keys of the bus, and of what its process is set to, in `app.extensions`.
EXTENSION = "modular-bus"
SETTINGS = "modular-bus-settings"


def current_bus() -> EventBus:
    """Return the bus of the current application.

    Raises:
        BusError: The application has no bus.
    """
    found = current_app.extensions.get(EXTENSION)
    if found is None:
        raise BusError("this application has no bus; call BusExtension(bus).init_app(app)")
    return cast(EventBus, found)


def current_operations() -> Operations:
    """Return what an operator may ask of the current application's modules.

    Raises:
        BusError: The application has no bus, or the bus no modules.
    """
    found: Operations | None = getattr(current_bus(), "operations", None)
    if found is None:
        raise BusError("this application's bus has no modules, so nothing is recorded; make it with bus.assemble")
    return found


def current_settings() -> tuple[Setting, ...]:
    """Return what the application says it is set to, and what its bus is.

    Raises:
        BusError: The application has no bus.
    """
    current_bus()
    settings: Sequence[Setting] = current_app.extensions.get(SETTINGS, ())
    return tuple(settings)
