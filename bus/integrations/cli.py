"""`flask bus`: what an operator asks of a running application. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import click
from flask.cli import AppGroup

from bus.integrations.current import current_bus
from bus.status import ModuleStatus

#: What the commands exit with.
FINE, PROBLEMS, USAGE = 0, 1, 2

bus_commands = AppGroup("bus", help="Look into the event bus.")


@bus_commands.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Show what each hosted module owes and how its listeners fare; exit 1 when one is in trouble."""
    modules = current_bus().life.status()
    click.echo(_to_json({"modules": [_module_data(found) for found in modules]}) if as_json else _table(modules))
    context.exit(PROBLEMS if any(found.is_degraded for found in modules) else FINE)


@bus_commands.command("explain")
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def explain(context: click.Context, event: str, as_json: bool) -> None:
    """Show who listens to a published EVENT such as order.placed, how, and in what order."""
    try:
        found = current_bus().explain(event)
    except LookupError as error:
        click.echo(f"Error: {error}", err=True)
        context.exit(USAGE)
    click.echo(_to_json(dataclasses.asdict(found)) if as_json else str(found))


def _module_data(found: ModuleStatus) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "degraded": found.is_degraded}


def _to_json(data: object) -> str:
    return json.dumps(data, indent=2)


def _table(modules: Sequence[ModuleStatus]) -> str:
    lines: list[str] = []
    for found in modules:
        lines.append(f"{found.module}{'  (in trouble)' if found.is_degraded else ''}")
        lines += [f"  owes {o.target}: {o.count}, the oldest for {o.oldest_seconds:.1f} s" for o in found.owed]
        lines += [] if found.owed else ["  owes nothing"]
        for listener in found.listeners:
            state = f"  {listener.id}: {listener.completed} completed, {listener.retrying} retrying"
            lines.append(state + ("" if listener.known else ", unknown to this build"))
            lines += [f"    last error: {listener.last_error}"] if listener.last_error else []
    return "\n".join(lines)
