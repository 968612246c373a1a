"""Is the bus ahead of the job queues on PostgreSQL? benchmarks/durable.py asks that last.

Every side commits the row of an order and an event, one transaction after the other, and its listener the row of a
ticket. Taken are events per second, from before the first transaction until the last ticket's commit, and on an idle
system the time from an order's commit to its ticket's. Every side has two processes: of a peer one publishes and one
works, of the bus each publishes half of the events and works, as the processes of a web server do. What the bus does in
one process, with both, is measured too.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

from sqlalchemy import create_engine

from benchmarks.databases import Server
from benchmarks.order_and_kitchen import Application, KitchenTables, OrderTables
from benchmarks.peers.protocol import Task
from benchmarks.peers.running import Figures, run_bus, run_peer
from benchmarks.rounds import interleaved, verdict

#: Each with the values of its one setting that is varied: the bus has to be ahead of the best of them, as which that is
#: depends on the machine.
PEERS = {"procrastinate": (10, 30), "pgqueuer": (25, 100), "dbos": (1, 10)}

#: Processes of each side.
PROCESSES = 2

#: Events of one round that do not count, that are published in a row, and on an idle system; rounds that count.
WARM_UP, EVENTS, SINGLES, ROUNDS = 50, 1500, 20, 5

#: Connections that a peer takes at most: two for each of procrastinate's concurrent tasks, and some.
CONNECTIONS = 75


def of_the_bus(processes: int, server: Server) -> Figures:
    """Return the bus's figures, on schemas of a fresh database."""
    with server.fresh_schemas() as url:
        with Application(url):
            pass  # It has made the tables.
        return run_bus(processes, Task(url, WARM_UP, EVENTS, SINGLES))


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
    candidates: dict[str, Callable[[], Figures]] = {
        "bus": partial(of_the_bus, PROCESSES, server),
        "bus in one process": partial(of_the_bus, 1, server),
    }
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
