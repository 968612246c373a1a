"""`flask bus pause` and `resume`: having a listener, or a whole module, not run for a while."""

from __future__ import annotations

from datetime import timedelta

import click

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.confirm import name_of_caller, who_option
from bus.integrations.cli.durations import DURATION
from bus.integrations.cli.output import say
from bus.integrations.current import current_operations
from bus.words import moment_text


@operator_command("pause")
@click.argument("target", metavar="LISTENER_OR_MODULE")
@click.option("--for", "duration", type=DURATION, help="How long, such as 10m; until it is resumed by default.")
@click.option("--reason", required=True, help="Why; whoever looks at the status reads it.")
@who_option
def pause(target: str, duration: timedelta | None, reason: str, who: str | None) -> None:
    """Pause a listener or a module. What it would hear waits, unharmed."""
    made = current_operations().pause(target, duration=duration, who=name_of_caller(who), why=reason)
    end = "until it is resumed" if made.until is None else f"until {moment_text(made.until)}"
    say(f"{target} is paused {end}; end it with: flask bus resume {target}")


@operator_command("resume")
@click.argument("target", metavar="LISTENER_OR_MODULE")
def resume(target: str) -> None:
    """End a pause."""
    was_paused = current_operations().resume(target)
    say(f"{target} runs again." if was_paused else f"{target} was not paused.")
