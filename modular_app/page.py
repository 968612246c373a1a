"""The page at the root: the panels of the hosted modules side by side."""

from __future__ import annotations

from collections.abc import Mapping

from dependency_injector.containers import DeclarativeContainer
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from modular_app.container import provided


class CounterPage:
    """Lays out what the modules show of themselves."""

    def __init__(self, containers: Mapping[str, DeclarativeContainer]) -> None:
        found = [provided(container, "panel") for container in containers.values()]
        self._panels = [panel for panel in found if panel is not None]

    def show(self) -> ResponseReturnValue:
        """Return the page with every panel."""
        return render_template("page.html", panels=[panel.render() for panel in self._panels])


def create_page(containers: Mapping[str, DeclarativeContainer]) -> Blueprint:
    """Return the route of the page."""
    blueprint = Blueprint("page", __name__)
    blueprint.add_url_rule("/", view_func=CounterPage(containers).show)
    return blueprint


def error_page(error: HTTPException) -> ResponseReturnValue:
    """Return what went wrong as a page that leads back."""
    headers = [(name, value) for name, value in error.get_headers() if name.lower() != "content-type"]
    return render_template("error.html", error=error), error.code or 500, headers
