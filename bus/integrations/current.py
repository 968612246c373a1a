"""The bus of the application that is being served."""

from __future__ import annotations

from typing import cast

from flask import current_app

from bus.bus import EventBus

#: The key of the bus in `app.extensions`.
EXTENSION = "modular-bus"


def current_bus() -> EventBus:
    """Return the bus of the current application.

    Raises:
        RuntimeError: No application context is there, or the application has no bus.
    """
    found = current_app.extensions.get(EXTENSION)
    if found is None:
        raise RuntimeError("this application has no bus; call BusExtension(bus).init_app(app)")
    return cast(EventBus, found)
