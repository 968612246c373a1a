"""The layers of the tests, of which each fault is caught by at least one."""

from __future__ import annotations

#: Where a test lies, and the layer that it belongs to; the first that fits counts.
LAYERS = {
    "tests/contracts/": "contract suite",
    "tests/simulation/": "simulation",
    "tests/durable/test_crashes.py": "sweep",
    "tests/durable/test_standing_still.py": "sweep",
    "tests/chaos/": "harness",
    "tests/bus/": "semantics",
    "tests/durable/": "scenarios",
}

#: The layers that prove what the bus promises under faults: each deliberate fault is caught by one of these at least.
PROVING = {"contract suite", "simulation", "sweep", "harness"}


def layer_of(test: str) -> str:
    """Return the layer of a test, given as pytest names it."""
    return next(layer for place, layer in LAYERS.items() if test.startswith(place))
