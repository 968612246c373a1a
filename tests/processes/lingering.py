"""The application with a cook who lingers over each order until a file says otherwise.

The folder of LINGERING holds the files: `began` has the process of each run, and a run ends when `may_end` is there.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from bus import module_listener
from modular_app.serving import end_on_sigterm, start
from modules.kitchen.contract import OrderAccepted

FOLDER = Path(os.environ["LINGERING"])


@module_listener("kitchen.linger")
def linger(event: OrderAccepted) -> None:
    with (FOLDER / "began").open("a") as began:
        began.write(f"{os.getpid()}\n")
    pause = Event()
    while not (FOLDER / "may_end").exists():
        pause.wait(0.02)


app = start()
app.extensions["modular-app"].bus.module("kitchen").subscribe(linger)
end_on_sigterm(app)
