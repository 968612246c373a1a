"""`flask bus worker`: processes that run the module listeners, over a broker."""

from __future__ import annotations

import os
import sys

import click
from flask.cli import ScriptInfo

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.current import current_bus, current_operations

#: What Dramatiq's command imports.
_BROKER = "bus.integrations.worker:broker"

#: Milliseconds between two looks into an idle queue on Redis; with Dramatiq's own everything waits for half a second.
_LOOK = "20"


@operator_command("worker")
@click.option("--modules", metavar="NAME,…", help="Work for these modules alone; for all that are hosted by default.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1),
    help="Messages of each module that a process has.",
)
@click.pass_context
def worker(context: click.Context, modules: str | None, processes: int, threads: int) -> None:
    """Run the module listeners of this application, over its broker, until SIGTERM or SIGINT.

    Dramatiq's own command takes the place of this process, with its exit code.
    """
    from bus.integrations.worker import transport_of

    transport = transport_of(current_bus())
    hosted = sorted(current_operations().modules)
    chosen = hosted if modules is None else _known(modules, hosted)
    environment = {
        "dramatiq_worker_timeout": _LOOK,
        **os.environ,
        # Each has a thread that waits for it, so that a slow module leaves the others theirs.
        "dramatiq_queue_prefetch": str(threads),
        "FLASK_MODULES": ",".join(chosen),
    }
    path = context.ensure_object(ScriptInfo).app_import_path
    if path is not None:
        environment["FLASK_APP"] = path
    # Who only sends into a queue must not take from it.
    queues = [transport.queue_of(module) for module in chosen]
    options = ["--processes", str(processes), "--threads", str(threads * len(chosen)), "--queues", *queues]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "dramatiq", _BROKER, *options], environment)


def _known(modules: str, known: list[str]) -> list[str]:
    names = [name.strip() for name in modules.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise WrongCallError(f"--modules {modules!r}: name some of {', '.join(known)}")
    return names
