"""`flask bus purge`: forgetting what has ended."""

from __future__ import annotations

from datetime import timedelta

import click

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.confirm import confirm, yes_option
from bus.integrations.cli.durations import DURATION
from bus.integrations.cli.output import say
from bus.integrations.current import current_operations
from bus.words import count_text


@operator_command("purge")
@click.option("--older-than", type=DURATION, required=True, help="What ended longer ago, such as 30d.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
@yes_option
def purge(older_than: timedelta, dry_run: bool, yes: bool) -> None:
    """Forget what has ended. Deletes completed and discarded publications; the history of events stays."""
    operations = current_operations()
    count = operations.forget(older_than, dry_run=True)
    told = f"{count_text(count, 'completed or discarded publication')} ended longer ago than that"
    if dry_run or not count:
        say(told)
        return
    confirm(f"{told}, and will be deleted.", is_agreed=yes)
    say(f"Deleted {count_text(operations.forget(older_than), 'publication')}.")
