"""`flask bus check`: is anything wrong that somebody should mend?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass

import click

from bus.bus import EventBus
from bus.inbox.pauses import Pause
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.databases import database_trouble
from bus.integrations.cli.exits import FINE, PROBLEMS
from bus.integrations.cli.output import json_option, show, show_json
from bus.integrations.current import current_bus, current_operations
from bus.operations import Operations
from bus.status import ListenerStatus, ModuleStatus
from bus.wiring import wiring_problems
from bus.words import count_text, duration_text, one_line

#: Microseconds after which a pause counts as forgotten.
_FORGOTTEN = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it; nothing where it is well."""

    what: str
    problems: tuple[str, ...]


@operator_command("check")
@json_option
@click.pass_context
def check(context: click.Context, as_json: bool) -> None:
    """Look for trouble. Exit 1 where somebody should mend something."""
    findings = list(_findings(current_bus()))
    is_well = not any(found.problems for found in findings)
    if as_json:
        show_json({"ok": is_well, "checks": [{"ok": not f.problems, **asdict(f)} for f in findings]})
    else:
        show("\n".join(line for found in findings for line in _lines(found)))
    context.exit(FINE if is_well else PROBLEMS)


def _lines(found: Finding) -> list[str]:
    return [f"problem  {found.what}: {problem}" for problem in found.problems] or [f"ok       {found.what}"]


def _findings(bus: EventBus) -> Iterator[Finding]:
    operations = current_operations()
    databases = [parts.database for _, parts in sorted(operations.modules.items())]
    broken = tuple(problem for database in databases if (problem := database_trouble(database)))
    yield Finding("databases answer, and have the tables of this build", broken)
    yield Finding("modules fit together", tuple(_wiring(bus, operations.modules)))
    if broken:
        # What follows asks all databases; that they cannot answer has been said.
        return
    modules = bus.life.status()
    if not operations.transport.is_local:
        yield from _cluster(operations, modules)
    yield Finding("no orphans", _of_listeners(modules, _orphans))
    yield Finding("nothing is parked", _of_listeners(modules, _parked))
    yield Finding("no dead letters", _of_listeners(modules, _dead))
    yield Finding("quarantine is empty", tuple(f"{m.module} has {m.quarantined}" for m in modules if m.quarantined))
    yield Finding("no forgotten pauses", tuple(_forgotten(operations.pauses(), bus.clock.microseconds())))


def _cluster(operations: Operations, modules: list[ModuleStatus]) -> Iterator[Finding]:
    where = operations.transport.where()
    yield Finding("the broker answers", () if operations.transport.is_ready() else (f"{where} does not",))
    unserved = operations.unserved(modules)
    yield Finding("every module has a worker", tuple(f"{name} has none, and is owed something" for name in unserved))


def _wiring(bus: EventBus, hosted: Collection[str]) -> Iterator[str]:
    # Whether the transport reaches every subscriber is asked at each start.
    yield from wiring_problems(bus.catalogue, hosted, is_local=False)
    for view in bus.catalogue.views():
        if view.module in hosted and not bus.module_listeners(view.module, view.name):
            yield f"{view.module} has a view of {view.name} and no listener for it"


def _of_listeners(modules: list[ModuleStatus], problem_of: Callable[[ListenerStatus], str]) -> tuple[str, ...]:
    return tuple(problem for found in modules for listener in found.listeners if (problem := problem_of(listener)))


def _orphans(listener: ListenerStatus) -> str:
    if listener.known or listener.id == "*" or not listener.open:
        return ""
    return f"{listener.id} is in no build of this process and has {count_text(listener.open, 'open publication')}"


def _parked(listener: ListenerStatus) -> str:
    return f"{listener.id} has {count_text(listener.parked, 'publication')} it cannot read" if listener.parked else ""


def _dead(listener: ListenerStatus) -> str:
    return f"{listener.id} has {listener.dead}; see flask bus dead groups" if listener.dead else ""


def _forgotten(pauses: list[Pause], now: int) -> Iterator[str]:
    for pause in pauses:
        age = now - pause.since
        if age > _FORGOTTEN:
            yield f"{pause.target} is paused for {duration_text(age)} by {pause.who}: {one_line(pause.reason)}"
