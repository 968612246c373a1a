"""What does it cost to go over a broker?

    python -m benchmarks.cluster [--broker rabbitmq|redis] [--rounds N] [--payloads] [--server URL] …

End to end, through RabbitMQ and through Redis, on PostgreSQL: one process commits the row of an order and publishes an
event, one transaction after the other, and another one runs a listener that commits the row of a ticket. Beside it, in
interleaved rounds on the same servers: raw Dramatiq and Celery, which promise less, and an outbox written by hand. Then
a listener that waits, with one process and with two.

With `--payloads` a table instead: how events per second fall as what they carry grows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields
from functools import partial
from uuid import uuid4

from benchmarks.cluster.brokers import RABBITMQ, REDIS, fresh_number, fresh_virtual_host
from benchmarks.cluster.job import Job
from benchmarks.cluster.processes import Figures, Side, measured, running
from benchmarks.cluster.sides import bus, outbox, raw
from benchmarks.databases import SERVER, Server
from benchmarks.rounds import interleaved, verdict

#: What makes a side's tables; Celery's are raw Dramatiq's.
SIDES: Mapping[str, Callable[[Job], None]] = {
    "bus": bus.prepare,
    "raw": raw.prepare,
    "celery": raw.prepare,
    "outbox": outbox.prepare,
}

#: Events that are published in a row, and on an idle system; rounds that count.
EVENTS, SINGLES, ROUNDS = 2000, 20, 5

#: Threads of each process that works, and messages that it has in hand.
THREADS = 8

#: Milliseconds that a listener waits where two processes are compared with one, and events for it.
WAITS, WAITING_EVENTS = 20, 1000

#: KiB that an event carries, and events for each.
PAYLOADS, HEAVY_EVENTS = (1, 16, 64, 256), 300

#: What is to be reached: milliseconds from a commit to its effect, at most, on each broker.
LATENCIES = {"rabbitmq": 15, "redis": 30}

#: Connections that one side takes at most: for two processes, with two modules each, and the one that publishes.
CONNECTIONS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is measured: a server for databases, and a broker."""

    server: Server
    broker: str

    @contextmanager
    def running(self, side: str, *, processes: int = 1, payload: int = 0, waits: int = 0) -> Iterator[Side]:
        """Run a side on a database and queues of its own."""
        with self.server.fresh_database() as url:
            database = url.render_as_string(hide_password=False)

            def job(pipe: str) -> Job:
                return Job(side, database, self.broker, _new_queue(), pipe, THREADS, processes, payload, waits)

            SIDES[side](job(""))
            with running(job) as found:
                yield found

    def figures(self, side: str) -> Figures:
        """Return what a side does with events that carry next to nothing."""
        with self.running(side) as found:
            return measured(found, EVENTS, SINGLES)

    def waiting(self, processes: int) -> float:
        """Return how many events have their effect in a second where the bus's listener waits."""
        with self.running("bus", processes=processes, waits=WAITS) as found:
            return found.burst(WAITING_EVENTS)[0]

    def carrying(self, payload: int) -> float:
        """Return how many events of so many KiB have their effect in a second."""
        with self.running("bus", payload=payload) as found:
            return found.burst(HEAVY_EVENTS)[0]


def keeps_bounds(kind: str, place: Place, rounds: int) -> bool:
    """Measure every side, and two processes beside one; print the figures and whether each bound is kept."""
    found = interleaved({side: partial(place.figures, side) for side in SIDES}, rounds)
    middle = {
        field.name: {
            side: statistics.median(getattr(each, field.name) for each in some) for side, some in found.items()
        }
        for field in fields(Figures)
    }
    for told, name in (
        ("events per second", "rate"),
        ("published per second", "published"),
        ("idle latency, ms", "latency"),
    ):
        print(f"{told}: " + ", ".join(f"{side} {value:,.1f}" for side, value in middle[name].items()), flush=True)
    rate = middle["rate"]
    kept = [
        verdict("events per second, bus / raw Dramatiq", rate["bus"] / rate["raw"], at_least=0.7),
        verdict("events per second, bus / Celery", rate["bus"] / rate["celery"], at_least=1),
        verdict("events per second, bus / outbox by hand", rate["bus"] / rate["outbox"], at_least=1),
        verdict("idle latency of the bus, ms", middle["latency"]["bus"], at_most=LATENCIES[kind]),
    ]
    waiting = interleaved({str(count): partial(place.waiting, count) for count in (1, 2)}, rounds)
    one, two = (statistics.median(waiting[count]) for count in ("1", "2"))
    print(f"events per second, listener waits {WAITS} ms: one process {one:,.0f}, two {two:,.0f}")
    kept.append(verdict("two processes / one", two / one, at_least=1.6))
    return all(kept)


def payload_rates(place: Place, rounds: int) -> list[float]:
    """Return the median rates, one for each payload."""
    found = interleaved({str(payload): partial(place.carrying, payload) for payload in PAYLOADS}, rounds)
    return [statistics.median(rates) for rates in found.values()]


def print_table(rows: Mapping[str, list[float]]) -> None:
    """Print rates, and what they are of the first one, as the documentation shows them."""
    print("| events per second with |" + "".join(f" {payload} KiB |" for payload in PAYLOADS))
    print("|---|" + "---|" * len(PAYLOADS))
    for kind, rates in rows.items():
        print(f"| {kind} |" + "".join(f" {rate:,.0f} ({rate / rates[0]:.2f}) |" for rate in rates))


def _brokers(asked: argparse.Namespace) -> dict[str, Callable[[], AbstractContextManager[str]]]:
    every: dict[str, Callable[[], AbstractContextManager[str]]] = {
        "rabbitmq": partial(fresh_virtual_host, asked.rabbitmq),
        "redis": partial(fresh_number, asked.redis),
    }
    return {kind: fresh for kind, fresh in every.items() if asked.broker in (kind, "both")}


def _new_queue() -> str:
    return f"benchmark-{uuid4().hex[:12]}"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--broker", choices=("rabbitmq", "redis", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds that count; default: %(default)s")
    parser.add_argument("--payloads", action="store_true", help="only how payloads weigh")
    parser.add_argument("--server", default=SERVER, help="where databases may be created; default: %(default)s")
    parser.add_argument("--rabbitmq", default=RABBITMQ, help="a RabbitMQ on this machine; default: %(default)s")
    parser.add_argument("--redis", default=REDIS, help="a Redis with a free database; default: %(default)s")
    return parser.parse_args()


def main() -> int:
    asked = _asked()
    server = Server(asked.server)
    server.require_connections(CONNECTIONS)
    kept, rows = [], {}
    for kind, fresh in _brokers(asked).items():
        with fresh() as broker:
            place = Place(server, broker)
            if asked.payloads:
                rows[kind] = payload_rates(place, asked.rounds)
                continue
            print(f"{kind}, PostgreSQL {server.version()}", flush=True)
            kept.append(keeps_bounds(kind, place, asked.rounds))
    if rows:
        print_table(rows)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
