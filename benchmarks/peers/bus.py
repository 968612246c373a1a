"""The bus as several processes of a web server have it: each publishes, and runs the listeners."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.order_and_kitchen import Application, by_driver
from benchmarks.peers.protocol import Effects, Task, produce


def serve(task: Task) -> None:
    effects = Effects(task)

    def note(_bus: object, **details: Any) -> None:
        effects.note(str(details["envelope"].subject))

    with Application(task.url, by_driver) as app:
        app.bus.signals.listener_completed.connect(note)
        app.bus.start()
        produce(task, app.place)
        # It is there, and idle, while another one is measured, until it is ended.
        sys.stdin.readline()
