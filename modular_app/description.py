"""The description of the HTTP interface, and a page to read and try it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from flask import Blueprint, abort, make_response, render_template, request, send_from_directory
from flask.typing import ResponseReturnValue

from bus.integrations.openapi import describe
from modular_app.container import provided

#: What the page loads of Swagger UI, from the installed package.
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")

#: The page runs our scripts alone and asks our server alone; Swagger UI keeps its pictures in its style sheet.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

TEXT = """Customers order, a restaurant accepts, a kitchen cooks. There is no log-in.

- A list is a page: `{items, next}`. `next` is the `after` of the next page, or null.
- What goes wrong is told as a problem document (RFC 9457), a refused field by its name.
- Fields and parameters that nobody knows are refused. Whole numbers are written without a fraction.
"""


class DescriptionViews:
    """Answers those who want to know what can be asked."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def document(self) -> ResponseReturnValue:
        """Return the OpenAPI document."""
        return {**self._document, "servers": [{"url": request.root_path or "/"}]}

    def page(self) -> ResponseReturnValue:
        """Return the page on which each operation can be tried."""
        response = make_response(render_template("docs.html"))
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def asset(self, name: str) -> ResponseReturnValue:
        """Return a file of Swagger UI."""
        if name not in ASSETS:
            abort(404)
        return send_from_directory(str(files("flask_swagger_ui") / "dist"), name)


def create_description(containers: Mapping[str, DeclarativeContainer], under: str) -> Blueprint:
    """Return the routes of the description of what the hosted modules serve, to be mounted beside them.

    Args:
        containers: The container of each hosted module.
        under: Where their routes are mounted.
    """
    found = [provided(container, "routes") for container in containers.values()]
    mounted = [(under, routes) for routes in found if routes is not None]
    views = DescriptionViews(describe(mounted, title="The counter", version="1", text=TEXT))
    blueprint = Blueprint("description", __name__)
    blueprint.add_url_rule("/openapi.json", view_func=views.document)
    blueprint.add_url_rule("/docs", view_func=views.page)
    blueprint.add_url_rule("/docs/<name>", view_func=views.asset)
    return blueprint
