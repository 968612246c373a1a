from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def one_at_a_time(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Have one such test run at a time: its processes take half of the connections that a server has."""
    folder = tmp_path_factory.getbasetemp()
    with ((folder if worker_id == "master" else folder.parent) / "processes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
