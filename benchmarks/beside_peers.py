"""Is the bus ahead of the job queues on PostgreSQL? benchmarks/durable.py asks that last.

Every side commits the row of an order and an event, one transaction after the other, and its listener the row of a
ticket. Taken are events per second, from before the first transaction until the last ticket's commit, and on an idle
system the time from an order's commit to its ticket's. A peer has two processes, one that publishes and one that
works; the bus does both in this one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import create_engine

from benchmarks.databases import Server
from benchmarks.order_and_kitchen import Application, KitchenTables, OrderTables, by_driver
from benchmarks.peers.protocol import PAUSE, Task
from benchmarks.peers.running import Figures, figures, run_peer
from benchmarks.rounds import interleaved, verdict

#: Each with the values of its one setting that is varied: the bus has to be ahead of the best of them, as which that is
#: depends on the machine.
PEERS = {"procrastinate": (10, 30), "pgqueuer": (25, 100), "dbos": (1, 10)}

#: Events of one round that do not count, that are published in a row, and on an idle system; rounds that count.
WARM_UP, EVENTS, SINGLES, ROUNDS = 50, 500, 20, 5

#: Connections that a peer takes at most: two for each of procrastinate's concurrent tasks, and some.
CONNECTIONS = 75


def of_the_bus(server: Server) -> Figures:
    """Return the bus's figures, on schemas of a fresh database."""
    with server.fresh_schemas() as url, Application(url, by_driver) as app:
        app.bus.start()
        for _ in range(WARM_UP):
            app.place()
        app.wait_for(WARM_UP)
        began = time.monotonic()
        for _ in range(EVENTS):
            app.place()
        last = app.wait_for(WARM_UP + EVENTS)
        latencies = [_latency(app, WARM_UP + EVENTS + number) for number in range(1, SINGLES + 1)]
    return figures(EVENTS, last - began, latencies)


def of_a_peer(peer: str, setting: int, server: Server) -> Figures:
    """Return a peer's figures, on a fresh database with the tables of both rows."""
    with server.fresh_database() as url:
        engine = create_engine(url)
        for metadata in (OrderTables.metadata, KitchenTables.metadata):
            metadata.create_all(engine)
        engine.dispose()
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        return run_peer(peer, Task(plain, WARM_UP, EVENTS, SINGLES, setting))


def ahead_of_peers(server: Server) -> bool:
    """Measure the bus and its peers in turn; print the figures and whether it is ahead of each."""
    server.require_connections(CONNECTIONS)
    candidates: dict[str, Callable[[], Figures]] = {"bus": partial(of_the_bus, server)}
    for peer, settings in PEERS.items():
        candidates |= {_labelled(peer, setting): partial(of_a_peer, peer, setting, server) for setting in settings}
    found = interleaved(candidates, ROUNDS)
    rates = {name: statistics.median(figures.rate for figures in some) for name, some in found.items()}
    latencies = {name: statistics.median(figures.latency for figures in some) for name, some in found.items()}
    print("events per second: " + ", ".join(f"{name} {value:,.0f}" for name, value in rates.items()))
    print("idle latency, ms: " + ", ".join(f"{name} {value:.1f}" for name, value in latencies.items()))
    kept = []
    for peer, settings in PEERS.items():
        best = max(rates[_labelled(peer, setting)] for setting in settings)
        soonest = min(latencies[_labelled(peer, setting)] for setting in settings)
        kept.append(verdict(f"events per second, bus / best {peer}", rates["bus"] / best, at_least=1))
        kept.append(verdict(f"idle latency, bus / best {peer}", latencies["bus"] / soonest, at_most=1))
    return all(kept)


def _labelled(peer: str, setting: int) -> str:
    return f"{peer}({setting})"


def _latency(app: Application, number: int) -> float:
    time.sleep(random.uniform(*PAUSE))
    app.place()
    committed = time.monotonic()
    return app.wait_for(number) - committed
