"""A listener that runs longer than its lease, beside two processes that are eager to help, is run once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from subprocess import Popen

from bus import SystemClock
from bus.inbox.sqlalchemy import LEASE
from bus.inbox.state import Reason, State
from bus.inbox.store import Outcome, Publication
from tests.durable.faults import dead_letters
from tests.durable.shop import Shop, placed
from tests.prove.children.lingering import LONG
from tests.prove.databases import child, fresh, said
from tests.prove.finding import Finding, exactly

#: Seconds that the listener takes, and seconds for which the processes are there.
TAKES, THERE = LEASE / 1_000_000 + 5, LEASE / 1_000_000 + 12


def prove() -> Iterator[Finding]:
    # All of them at the same time: it is the waiting that takes long.
    with fresh("fresh", "retried") as found, ExitStack() as stack:
        cases = {(name, case): url for name, urls in found.items() for case, url in zip(CASES, urls, strict=True)}
        shops = {key: stack.enter_context(closing(Shop(url, clock=SystemClock()))) for key, url in cases.items()}
        running = {key: [child("lingering", url, TAKES, THERE) for _ in range(3)] for key, url in cases.items()}
        for processes in running.values():
            _await(processes)
        for (_, case), shop in shops.items():
            CASES[case](shop)
        for (name, case), processes in running.items():
            yield from _found(f"{name}, {case}", shops[name, case], processes)


def _publish(shop: Shop) -> None:
    shop.place(LONG)


def _have_it_retried(shop: Shop) -> None:
    failed = Outcome(State.RETRYING, Reason.FAILED, 0, failures=1, crashes=0)
    shop.inbox_store.record(Publication("kitchen.bake", placed(LONG)), failed)


#: What has the listener run, by its name.
CASES = {"first run": _publish, "retry": _have_it_retried}


def _await(processes: list[Popen[str]]) -> None:
    for process in processes:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise ChildProcessError("a process that should help has not come up")


def _found(name: str, shop: Shop, processes: list[Popen[str]]) -> Iterator[Finding]:
    runs = [order for process in processes for line in said(process) for order in line.split()]
    [row] = shop.publications()
    noted = dead_letters(shop).attempts(row.listener, row.event_id)
    yield exactly(f"{name} of {TAKES:.0f} s among three processes, times that it ran", len(runs), 1)
    yield exactly(f"{name}, crashes noted", len(noted), 0)
    yield exactly(f"{name}, completed", int(row.state == State.COMPLETED), 1)
