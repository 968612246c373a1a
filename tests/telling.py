"""Tells at the end of a run which layer of the tests has caught which fault."""

from __future__ import annotations

import pytest

#: The name under which a test notes which fault was caught, and by which layers.
CAUGHT = "caught"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each fault that was caught in this run, and the layers of the tests that caught it."""
    passed = terminalreporter.stats.get("passed", [])
    caught = [text for report in passed for name, text in report.user_properties if name == CAUGHT]
    if caught:
        terminalreporter.section("deliberate faults, and which layer caught them")
        for line in caught:
            terminalreporter.write_line(line)
