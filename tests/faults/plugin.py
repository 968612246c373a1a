"""Switches a fault on in this process: `BUS_FAULT=NAME python -m pytest -p tests.faults.plugin …`."""

from __future__ import annotations

import os

from tests.faults.faults import FAULTS


def pytest_configure() -> None:
    FAULTS[os.environ["BUS_FAULT"]].apply()
