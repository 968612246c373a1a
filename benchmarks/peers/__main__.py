"""One process of a side: `python -m benchmarks.peers SIDE ROLE URL WARM_UP EVENTS SINGLES SETTING`.

A peer's role is `work` or `publish`, the bus's is `serve`.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.peers.protocol import Task

peer, side, url, *counts = sys.argv[1:]
getattr(import_module(f"benchmarks.peers.{peer}"), side)(Task(url, *map(int, counts)))
