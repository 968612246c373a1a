"""The bus of the application that is being served, and what an operator works with of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from flask import current_app

from bus.bus import EventBus
from bus.errors import BusError
from bus.integrations.settings import Setting
from bus.operations import Operations, operations_of
from bus.words import duration_text

#: The keys of the bus, and of what its process is set to, in `app.extensions`.
EXTENSION = "modular-bus"
SETTINGS = "modular-bus-settings"

#: Where the settings of the bus itself come from.
_ASSEMBLED = "bus.assemble"


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
    return operations_of(current_bus())


def current_settings() -> tuple[Setting, ...]:
    """Return what the application says it is set to, and what its bus was assembled with.

    Raises:
        BusError: The application has no bus, or the bus no modules.
    """
    operations = current_operations()
    told: Sequence[Setting] = current_app.extensions.get(SETTINGS, ())
    return (
        *told,
        Setting("transport", type(operations.transport).__name__, _ASSEMBLED),
        Setting("retention", duration_text(operations.retention // timedelta(microseconds=1)), _ASSEMBLED),
    )
