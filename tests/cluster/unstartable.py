"""The application with a listener that keeps the bus of a worker from starting."""

from __future__ import annotations

from bus import BusStarted, listener
from modular_app.serving import start

app = start()


@listener
def refuse(event: BusStarted) -> None:
    raise RuntimeError("no dough in the house")


app.extensions["modular-app"].bus.subscribe(refuse)
