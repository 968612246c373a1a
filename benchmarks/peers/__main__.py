"""One of a peer's two processes: `python -m benchmarks.peers PEER work|publish URL WARM_UP EVENTS SINGLES SETTING`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.peers.protocol import Task

peer, side, url, *counts = sys.argv[1:]
getattr(import_module(f"benchmarks.peers.{peer}"), side)(Task(url, *map(int, counts)))
