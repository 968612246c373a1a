from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Database
from tests.databases import Server
from tests.schema.place import Place


@pytest.fixture
def postgresql(postgresql_server: Server, tmp_path: Path) -> Iterator[Place]:
    """Give a schema on the server that is not there yet."""
    url = postgresql_server.url_of("schemas").replace("{module}", f"stock_{uuid4().hex}")
    database = Database("stock", url)
    yield Place(database, tmp_path / "revisions")
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """Give a file that is not there yet."""
    database = Database("stock", f"sqlite:///{tmp_path}/stock.db")
    yield Place(database, tmp_path / "revisions")
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    """Give an empty database, of each kind in turn."""
    place: Place = request.getfixturevalue(request.param)
    return place
