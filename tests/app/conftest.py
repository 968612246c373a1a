from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask

from bus import Database
from bus.transport.base import Transport
from modular_app.app import create_app
from modular_app.container import MODULES
from tests.app.counter import Counter
from tests.app.transports import CHOSEN, TRANSPORTS, carrier


class MakeApp(Protocol):
    def __call__(self, *, transport: Transport | None = None, **config: Any) -> Flask: ...


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a module's database: an SQLite file, unless the test asks for both databases in turn."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/{{module}}.db"
    url = str(request.getfixturevalue("postgresql_url"))
    set_up(url)
    return url


def set_up(url: str) -> None:
    """Make the tables on a server, as a deployment does before the first start."""
    for module in MODULES:
        database = Database.of(module, url.replace("{module}", module.name))
        database.create_tables()
        database.close()


@pytest.fixture
def transport_name(request: pytest.FixtureRequest) -> str:
    """Name the transport of the test's applications."""
    name = str(getattr(request, "param", CHOSEN or "inprocess"))
    if name not in TRANSPORTS:
        raise pytest.UsageError(f"TEST_TRANSPORT is {name!r}; it is one of {', '.join(TRANSPORTS)}")
    return name


@pytest.fixture
def make_app(database_url: str, transport_name: str, request: pytest.FixtureRequest) -> Iterator[MakeApp]:
    """Make applications on databases of this test alone; each is stopped at its end."""
    made: list[Flask] = []

    def make(*, transport: Transport | None = None, **config: Any) -> Flask:
        defaults = {"TESTING": True, "DATABASE_URL": database_url}
        if not config.keys() & {"MODULES", "BUS_URL"}:
            transport = transport or carrier(transport_name, request)
        made.append(create_app(defaults | config, transport=transport))
        return made[-1]

    yield make

    for app in made:
        app.extensions["modular-app"].bus.stop()
        for database in app.extensions["modular-app"].databases.values():
            database.close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def counter(app: Flask) -> Counter:
    return Counter(app)
