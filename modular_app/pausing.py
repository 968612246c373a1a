"""The buttons of the page that have a module listen no more for a while, and listen again."""

from __future__ import annotations

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from bus import EventBus
from bus.integrations.http import back_to_page, shown
from bus.operations import Operations, operations_of

#: Who pauses, as everybody is told: the page has no log-in and knows no names.
WHO, WHY = "the page", "somebody pressed the button on the page"


class PauseForms:
    """Pauses and resumes a module for whoever presses the button; what is so already stays so."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def pause(self, module: str) -> ResponseReturnValue:
        """Let events for a module wait until somebody resumes it."""
        self._operations(module).pause(module, duration=None, who=WHO, why=WHY)
        return back_to_page()

    def resume(self, module: str) -> ResponseReturnValue:
        """Let a module hear what waits for it, and go on."""
        self._operations(module).resume(module)
        return back_to_page()

    def _operations(self, module: str) -> Operations:
        operations = operations_of(self._bus)
        if module not in operations.modules:
            abort(404, f"there is no module {shown(module)} here")
        return operations


def create_pausing(bus: EventBus) -> Blueprint:
    """Return the routes of these buttons."""
    forms = PauseForms(bus)
    blueprint = Blueprint("pausing", __name__)
    blueprint.add_url_rule("/modules/<module>/pause", view_func=forms.pause, methods=["POST"])
    blueprint.add_url_rule("/modules/<module>/resume", view_func=forms.resume, methods=["POST"])
    return blueprint
