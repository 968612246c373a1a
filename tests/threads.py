"""The threads that a bus of this process has started."""

from __future__ import annotations

import threading


def bus_threads() -> list[str]:
    """Return the names of those that have not ended."""
    return sorted(thread.name for thread in _found())


def join_bus_threads(timeout: float) -> None:
    """Wait at most `timeout` seconds for each of them to end."""
    for thread in _found():
        thread.join(timeout)


def _found() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("bus")]
