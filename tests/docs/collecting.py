"""A plugin of pytest that tells of each test that is found which fixtures it uses, directly or by way of another.

Usage: python -m pytest -p tests.docs.collecting --collect-only
"""

from __future__ import annotations

import sys

import pytest

#: Begins the line of a test, which has the names of its fixtures first, for ids have blanks in them.
BEGIN = "uses "


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write a line for each test."""
    for item in session.items:
        names = ",".join(getattr(item, "fixturenames", ()))
        sys.stdout.write(f"{BEGIN}{names} {item.nodeid}\n")
