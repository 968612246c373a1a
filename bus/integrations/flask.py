"""The bus as a Flask extension."""

from __future__ import annotations

from collections.abc import Sequence

from bus.bus import EventBus
from bus.context import is_traceparent, trace_context
from bus.errors import MissingExtraError
from bus.integrations.settings import Setting

try:
    from flask import Flask, g, request

    from bus.integrations.cli import bus_commands
    from bus.integrations.current import EXTENSION, SETTINGS, current_bus, current_operations
except ImportError as error:
    raise MissingExtraError("Flask is not installed; pip install 'modular-bus[flask]'") from error

__all__ = ["EXTENSION", "BusExtension", "Setting", "current_bus", "current_operations"]


class BusExtension:
    """Joins one bus to one Flask application; several applications in one process each have their own.

    The bus starts with the first request that reaches the application, so neither a command nor the parent of a
    reloader or of a forking server ever starts it.

    Args:
        bus: The bus.
        app: The application, where it is there already.
        settings: What the process is set to, for `flask bus config`, with secrets masked.
    """

    def __init__(self, bus: EventBus, app: Flask | None = None, *, settings: Sequence[Setting] = ()) -> None:
        self._bus = bus
        self._settings = tuple(settings)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Keep the bus in the application's extensions, start it with the first request, and add `flask bus`.

        What a request publishes carries the W3C `traceparent` that came with it. Module listeners give way to it.
        """
        app.extensions[EXTENSION] = self._bus
        app.extensions[SETTINGS] = self._settings
        app.before_request(self._bus.start)
        app.before_request(_enter_trace)
        app.teardown_request(_leave_trace)
        app.before_request(self._begin_request)
        app.teardown_request(self._end_request)
        app.cli.add_command(bus_commands)

    def _begin_request(self) -> None:
        g.is_given_way_to = True
        self._bus.courtesy.begin()

    def _end_request(self, _error: BaseException | None) -> None:
        if g.pop("is_given_way_to", False):
            self._bus.courtesy.end()


def _enter_trace() -> None:
    traceparent = request.headers.get("traceparent", "")
    # As the specification has it, one that is malformed is passed over.
    if is_traceparent(traceparent):
        g.bus_trace = trace_context(traceparent=traceparent)
        g.bus_trace.__enter__()


def _leave_trace(_error: BaseException | None) -> None:
    block = g.pop("bus_trace", None)
    if block is not None:
        block.__exit__(None, None, None)
