"""What does it cost to publish an application event to 1 and to 10 listeners that do nothing?

    python -m benchmarks.dispatch

Against `blinker.Signal.send`, pyee's `emit` and a bare loop over the functions, in one run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import blinker
import pyee

from benchmarks.rounds import medians, verdict
from bus import EventBus, listener

#: Publications that one round measures, and rounds that count.
PUBLICATIONS, ROUNDS = 20_000, 25

#: Cost of a publish as a part of blinker's, by the number of listeners.
BOUNDS = {1: 0.4, 10: 0.2}


@dataclass(frozen=True, slots=True)
class Tick:
    number: int


def on_bus(listeners: int) -> Callable[[Tick], object]:
    bus = EventBus()
    for _ in range(listeners):

        @listener
        def ignore(event: Tick) -> None:
            pass

        bus.subscribe(ignore)
    return bus.publish


def on_blinker(listeners: int) -> Callable[[Tick], object]:
    signal = blinker.Signal()
    for _ in range(listeners):

        def ignore(sender: object) -> None:
            pass

        signal.connect(ignore, weak=False)
    return signal.send


def on_pyee(listeners: int) -> Callable[[Tick], object]:
    emitter = pyee.EventEmitter()
    for _ in range(listeners):

        def ignore(event: Tick) -> None:
            pass

        emitter.add_listener("tick", ignore)
    return lambda event: emitter.emit("tick", event)


def on_loop(listeners: int) -> Callable[[Tick], object]:
    def ignore(event: Tick) -> None:
        pass

    functions = [ignore] * listeners

    def send(event: Tick) -> None:
        for function in functions:
            function(event)

    return send


def measured(send: Callable[[Tick], object]) -> Callable[[], float]:
    event = Tick(1)

    def measure() -> float:
        start = time.perf_counter_ns()
        for _ in range(PUBLICATIONS):
            send(event)
        return (time.perf_counter_ns() - start) / PUBLICATIONS

    return measure


def main() -> int:
    kept = []
    for listeners, bound in BOUNDS.items():
        makers = {"bus": on_bus, "blinker": on_blinker, "pyee": on_pyee, "bare loop": on_loop}
        found = medians({name: measured(make(listeners)) for name, make in makers.items()}, ROUNDS)
        print(f"{listeners} listener(s): " + ", ".join(f"{name} {cost:,.0f} ns" for name, cost in found.items()))
        kept.append(verdict("bus / blinker", found["bus"] / found["blinker"], at_most=bound))
        kept.append(verdict("bus / pyee", found["bus"] / found["pyee"], at_most=1.0))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
