"""The application factory: its steps, from settings to routes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from flask import Flask

from bus import Database, EventBus, Module
from bus.assembly import assemble, make_transport
from bus.integrations.dependency_injector import subscribe_container
from bus.integrations.flask import BusExtension
from bus.transport.base import Transport
from modular_app.bell import Bell, create_bell
from modular_app.config import Settings, read_settings
from modular_app.container import MODULES, build_containers, provided
from modular_app.description import create_description
from modular_app.flow import Flow
from modular_app.guard import refuse_foreign_posts
from modular_app.headers import add_headers
from modular_app.health import create_health
from modular_app.hosts import only_for
from modular_app.page import answer_script, create_page, register_errors
from modular_app.pausing import create_pausing
from modular_app.setup import set_up_databases
from modular_app.shown import shown_settings
from modular_app.sources import Sources

#: Bytes of a request's body; the largest that means anything is an order of some 10 KiB.
MAX_BODY = 64 * 1024
#: Where the HTTP interface of the modules is mounted.
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of; kept in `app.extensions["modular-app"]`.

    Attributes:
        settings: What this process runs.
        bus: The bus between the modules.
        databases: The database of each hosted module.
        containers: The container of each hosted module.
        bell: Tells the open pages that something has changed.
        notices: Sentences about what this start has set up.
    """

    settings: Settings
    bus: EventBus
    databases: Mapping[str, Database]
    containers: Mapping[str, DeclarativeContainer]
    bell: Bell
    notices: tuple[str, ...]


def create_app(config: Mapping[str, Any] | None = None, *, transport: Transport | None = None) -> Flask:
    """Return the application, wired and ready to serve; nothing runs, and no connection stays open.

    Empty databases get their tables, and the restaurant its demo menu.

    Args:
        config: Settings that win over those of the environment.
        transport: Carries the events instead of what `BUS_URL` names.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
        UnusableDatabaseError: A database does not answer.
        BusError: The modules do not fit together, or a database has tables that this code does
            not know.
    """
    app = Flask(__name__, instance_relative_config=True)
    sources = Sources(config or {}, os.environ)
    settings = configure(app, config or {}, sources)
    hosted = [module for module in MODULES if module.name in settings.modules]

    databases = {module.name: database_of(module, settings) for module in hosted}
    bus = assemble(
        modules=MODULES,
        databases=databases,
        transport=transport or make_transport(settings.bus_url, app.name, settings.signing_keys),
        retention=settings.retention,
        grace=settings.grace.total_seconds(),
    )
    containers = build_containers(hosted, databases, bus)
    for name, container in containers.items():
        subscribe_container(bus, name, container)

    shown = shown_settings(settings, app.config, sources, Path(app.instance_path))
    BusExtension(bus, app, settings=shown)
    notices = set_up_databases(databases, containers)
    bell, stream = create_bell(bus)
    app.extensions["modular-app"] = Parts(settings, bus, databases, containers, bell, notices)

    register_modules(app, containers)
    app.register_blueprint(create_description(containers, API), url_prefix=API)
    app.register_blueprint(create_health(bus, databases))
    app.before_request(only_for(settings.trusted_hosts))
    register_page(app, bus, containers)
    app.register_blueprint(stream)
    app.after_request(bell.ring_after_change)
    register_errors(app)
    return app


def database_of(module: Module, settings: Settings) -> Database:
    """Return the database of a hosted module; opens nothing."""
    return Database.of(module, settings.database_urls[module.name], workers=settings.workers[module.name])


def configure(app: Flask, given: Mapping[str, Any], sources: Sources) -> Settings:
    """Read the environment and then what the caller gave, which wins, into frozen settings."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config.from_prefixed_env()
    app.config.from_mapping(given)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.url_map.merge_slashes = False
    names = tuple(module.name for module in MODULES)
    settings = read_settings(app.config, sources, known=names, instance=Path(app.instance_path))
    # Left there, Flask would check it too, in a way of its own: see the guard.
    app.config["TRUSTED_HOSTS"] = None
    return settings


def register_modules(app: Flask, containers: Mapping[str, DeclarativeContainer]) -> None:
    """Mount each module's HTTP interface under the version, its panel's forms under its name."""
    for name, container in containers.items():
        blueprint, forms = provided(container, "blueprint"), provided(container, "forms")
        if blueprint is not None:
            app.register_blueprint(blueprint, url_prefix=API)
        if forms is not None:
            app.register_blueprint(forms, url_prefix=f"/{name}")


def register_page(app: Flask, bus: EventBus, containers: Mapping[str, DeclarativeContainer]) -> None:
    """Mount the page with its buttons, and guard every request and answer as its browsers need it."""
    app.register_blueprint(create_page(containers, Flow(bus)))
    app.register_blueprint(create_pausing(bus))
    app.before_request(refuse_foreign_posts)
    app.after_request(answer_script)
    app.after_request(add_headers)
