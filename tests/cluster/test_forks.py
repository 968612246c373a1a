"""Processes that are forked over a broker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.server.server import ROOT


def test_scenario_17_forked_processes_count_for_themselves_at_the_broker(
    broker_url: str, application: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/order.db"
    command = (sys.executable, "-m", "tests.cluster.forking", url, broker_url, application)

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
