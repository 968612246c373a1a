"""Kill processes in the middle of their work, and count what is lost, repeated or left behind.

Prints a report as JSON; exits 1 where any promise was broken, and 2 where it could not be run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bus.failpoint import FAILPOINTS
from tests.chaos.accounting import account
from tests.chaos.children import fork
from tests.chaos.harness import Run
from tests.chaos.holdings import create_tables, holdings, times
from tests.chaos.journal import read_journals
from tests.chaos.report import Report
from tests.chaos.settings import Settings
from tests.chaos.waiting import late, longest_wait
from tests.own_broker import BROKERS, OwnBroker, lacks
from tests.own_server import OwnServer, server_programs

#: Where files are kept in memory: what a machine without power would lose is no concern here.
MEMORY = Path("/dev/shm")

#: Processes at a time, by whether a broker is between those who publish and those who work.
PROCESSES = {False: 3, True: 4}


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for, print the report, and return the exit code."""
    asked = vars(_parser().parse_args(arguments))
    kept = asked.pop("folder")
    asked["processes"] = asked["processes"] or PROCESSES[asked["transport"] != "inprocess"]
    settings = Settings(**asked)
    problem = _problem(settings)
    if problem:
        print(problem, file=sys.stderr)
        return 2
    report = _performed(settings, kept)
    print(report.text())
    return 0 if report.is_clean else 1


def _performed(settings: Settings, kept: Path | None) -> Report:
    """Run it in the folder that was asked for, or in one that is kept only where something went wrong."""
    folder, is_kept = _new_folder(kept), kept is not None
    try:
        report = perform(settings, folder)
        is_kept = is_kept or not report.is_clean
    except Exception:
        is_kept = True
        raise
    finally:
        if is_kept:
            print(f"databases, journals and logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return report


def perform(settings: Settings, folder: Path) -> Report:
    """Run it in a folder, and account for it."""
    with _broker(settings, folder) as broker, _databases(settings, folder) as (url, restart):
        if broker is not None:
            broker.await_answer()
        fork(lambda: create_tables(url)).wait()
        run = Run(settings, url, folder, restart, broker)
        run.perform()
        journal, held, fault = read_journals(run.journals), holdings(url), run.tally.last_fault
        settled_after = None if fault is None or held.stuck else longest_wait(times(url), fault, settings.speed)
        if settings.is_over_a_broker:
            held = replace(held, stuck=held.stuck + _late(url, settings, fault))
        return Report(settings, run.tally, journal, account(journal, held), os.environ.get("BUS_FAULT"), settled_after)


def _late(url: str, settings: Settings, fault: int | None) -> list[str]:
    return [] if fault is None else late(times(url), fault, settings.speed, settings.prompt)


def _problem(settings: Settings) -> str | None:
    if settings.is_over_a_broker:
        if settings.processes < 2:
            return "over a broker some processes publish and others work: --processes is 2 at least"
        if lacking := lacks(settings.transport):
            return f"the program {lacking} is not installed"
    elif settings.broker_kills or settings.wipes or settings.moves:
        return "in one process there is no broker: --broker-kills, --wipes and --moves are for --transport"
    if settings.restarts and settings.database == "sqlite":
        return "SQLite has no server that could be restarted: --restarts is for postgres"
    if settings.database == "postgres" and server_programs() is None:
        return "the programs of a PostgreSQL server are not installed"
    return None


def _new_folder(asked: Path | None) -> Path:
    if asked is None:
        return Path(tempfile.mkdtemp(prefix="chaos-", dir=MEMORY if MEMORY.is_dir() else None))
    asked.mkdir(parents=True)
    return asked


@contextmanager
def _databases(settings: Settings, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give the URL of the modules' databases, and what restarts their server."""
    programs = server_programs()
    if settings.database == "sqlite" or programs is None:
        yield f"sqlite:///{folder}/{{module}}.db", lambda: None
        return
    (folder / "server").mkdir()
    folder.chmod(0o755)
    server = OwnServer(folder / "server", programs)

    def restart() -> None:
        server.end()
        server.start()

    try:
        yield server.url, restart
    finally:
        server.end()


@contextmanager
def _broker(settings: Settings, folder: Path) -> Iterator[OwnBroker | None]:
    """Give the broker that was asked for, on its way to answer."""
    if not settings.is_over_a_broker:
        yield None
        return
    (folder / "broker").mkdir()
    broker = BROKERS[settings.transport](folder / "broker")
    try:
        broker.begin()
        yield broker
    finally:
        broker.end()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], required=True)
    parser.add_argument("--events", type=int, default=5_000, help="of the whole chain, two for each order, %(default)s")
    parser.add_argument("--kills", type=int, default=0, help="kill -9 of a process, %(default)s")
    parser.add_argument("--stops", type=int, default=0, help="SIGSTOP of a process, %(default)s")
    parser.add_argument("--restarts", type=int, default=0, help="immediate restarts of the server, %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the schedule of the faults, %(default)s")
    parser.add_argument("--transport", choices=["inprocess", *BROKERS], default="inprocess", help="%(default)s")
    parser.add_argument("--broker-kills", type=int, default=0, help="kill -9 of the broker, %(default)s")
    parser.add_argument("--wipes", type=int, default=0, help="the broker forgets everything, %(default)s")
    parser.add_argument("--moves", type=int, choices=[0, 1], default=0, help="of the listeners to workers, %(default)s")
    parser.add_argument("--processes", type=int, help="at a time: 3, over a broker 4, of which half publish")
    parser.add_argument("--workers", type=int, default=1, help="threads of a module on PostgreSQL, %(default)s")
    parser.add_argument("--speed", type=int, default=1, help="of the bus's clock, %(default)s")
    parser.add_argument("--patience", type=float, default=120, help="seconds for the deliveries, %(default)s")
    parser.add_argument("--prompt", type=float, default=20, help="seconds to be whole again after a fault, %(default)s")
    parser.add_argument("--at", choices=FAILPOINTS, help="the failpoint at which processes are killed")
    parser.add_argument("--folder", type=Path, help="a new one that keeps databases, journals and logs")
    return parser


if __name__ == "__main__":
    # Told to end it leaves no process behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
