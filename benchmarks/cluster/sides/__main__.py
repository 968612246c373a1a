"""One of a side's processes: `python -m benchmarks.cluster.sides publish|work`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.cluster.job import given_job

getattr(import_module(f"benchmarks.cluster.sides.{given_job().side}"), sys.argv[1])()
