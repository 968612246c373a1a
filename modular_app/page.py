"""The page at the root: the panels of the hosted modules side by side, and what the bus carries between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from dependency_injector.containers import DeclarativeContainer
from flask import Blueprint, Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from bus.integrations.http import register_problems
from bus.integrations.outage import register_outages
from modular_app.container import provided
from modular_app.flow import Flow


class Panel(Protocol):
    """What a module shows of itself."""

    def render(self, parts: Mapping[str, Markup]) -> Markup:
        """Return the panel as HTML, with what other modules offer for it where it has a place for that."""
        ...


class CounterPage:
    """Lays out what the modules show of themselves, and decides nothing about it."""

    def __init__(self, containers: Mapping[str, DeclarativeContainer], flow: Flow) -> None:
        self._panels: dict[str, Panel] = _those_with("panel", containers)
        self._trials = _those_with("trial", containers)
        self._menus = _those_with("menu", containers)
        self._flow = flow

    def show(self) -> ResponseReturnValue:
        """Return the whole page."""
        return render_template("page.html", modules=list(self._panels), **self._counter())

    def live(self) -> ResponseReturnValue:
        """Return what changes of the page, for the script to put in place of what is there."""
        return render_template("counter.html", **self._counter())

    def _counter(self) -> dict[str, Any]:
        # One module has the menus; a panel with a place for them asks for them by this name.
        parts = dict.fromkeys(("menu",), Markup().join(menu.render() for menu in self._menus.values()))
        return {
            "panels": {name: panel.render(parts) for name, panel in self._panels.items()},
            "trials": [trial.render() for trial in self._trials.values()],
            "fares": self._flow.fares(),
            "events": self._flow.events(),
            "travels": self._flow.travels(),
            "now": datetime.now(UTC).astimezone().strftime("%H:%M:%S"),
        }


def _those_with(part: str, containers: Mapping[str, DeclarativeContainer]) -> dict[str, Any]:
    found = {name: provided(container, part) for name, container in containers.items()}
    return {name: made for name, made in found.items() if made is not None}


def create_page(containers: Mapping[str, DeclarativeContainer], flow: Flow) -> Blueprint:
    """Return the routes of the page."""
    page = CounterPage(containers, flow)
    blueprint = Blueprint("page", __name__)
    blueprint.add_url_rule("/", view_func=page.show)
    blueprint.add_url_rule("/live", view_func=page.live)
    return blueprint


def answer_script(response: Response) -> Response:
    """Answer the page's script 204 where a form leads back to the page: it shows that page already."""
    if response.status_code == 303 and is_script():
        return Response(status=204)
    return response


def is_script() -> bool:
    """Say whether the page's script asks, in place of the browser itself."""
    return request.headers.get("HX-Request") == "true"


def register_errors(app: Flask) -> None:
    """Answer what goes wrong: problem documents below /api/, pages elsewhere; 503 where a database is away."""
    register_problems(app, elsewhere=error_page)
    register_outages(app)


def error_page(error: HTTPException) -> ResponseReturnValue:
    """Return what went wrong as a page that leads back; its sentence alone where the page's script asks."""
    headers = [(name, value) for name, value in error.get_headers() if name.lower() != "content-type"]
    if is_script():
        plain = ("Content-Type", "text/plain; charset=utf-8")
        return error.description or error.name, error.code or 500, [*headers, plain]
    return render_template("error.html", error=error), error.code or 500, headers
