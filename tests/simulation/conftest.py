from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bus import sqlite
from tests.simulation.world import World


@contextmanager
def simulated() -> Iterator[World]:
    """Give a world whose processes wait for no lock: where it is held there is nobody who could let it go meanwhile."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(sqlite, "BUSY_TIMEOUT", 0.0)
        # What goes wrong on purpose would be told a hundred times a second.
        patch.setattr(logging.getLogger("bus"), "disabled", True)
        with closing(World(Path(folder))) as world:
            yield world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with simulated() as world:
        yield world
