"""`flask bus dead`: publications that were given up, or wait for somebody."""

from __future__ import annotations

from dataclasses import replace

import click

from bus.inbox.dead_letters import PublicationQuery
from bus.inbox.state import Reason, State
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.confirm import confirm, name_of_caller, who_option, yes_option
from bus.integrations.cli.dead_output import (
    group_data,
    group_lines,
    publication_data,
    publication_lines,
    record_data,
    record_lines,
)
from bus.integrations.cli.dead_selection import filters, selected, state_option, the_one
from bus.integrations.cli.exits import USAGE
from bus.integrations.cli.output import json_option, say, show, show_json
from bus.integrations.current import current_operations
from bus.words import count_text

_ids = click.argument("ids", nargs=-1, metavar="[ID]...")
_all = click.option(
    "--all", "everything", is_flag=True, help="All that match the filters; without filters all there are."
)


@operator_command("list")
@filters("--reason")
@state_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@json_option
def list_dead(query: PublicationQuery, limit: int, as_json: bool) -> None:
    """Show those that match, the newest first."""
    found, count = current_operations().find(query, limit=limit), current_operations().count(query)
    if as_json:
        show_json({"count": count, "publications": [record_data(record) for record in found]})
        return
    if found:
        show("\n".join(record_lines(found)))
    say(f"{_counted(query, count)}{f'; the newest {len(found)} are shown' if count > len(found) else ''}.")


@operator_command("groups")
@filters("--reason")
@state_option
@json_option
def groups(query: PublicationQuery, as_json: bool) -> None:
    """Count them by listener, error and place."""
    found = current_operations().groups(query)
    if as_json:
        show_json({"groups": [group_data(group) for group in found]})
        return
    if found:
        show("\n".join(group_lines(found)))
    say(f"{_counted(query, sum(group.count for group in found))} in {count_text(len(found), 'group')}.")


@operator_command("show")
@click.argument("id")
@click.option("--listener", help="Which listener, where several have the event.")
@state_option
@json_option
@click.pass_context
def show_publication(context: click.Context, id: str, listener: str | None, state: str, as_json: bool) -> None:
    """Show one of them, with its history. ID is the beginning of the event's id."""
    query = PublicationQuery(event_id=id, listener=listener, state=State(state))
    discarded = [replace(query, reason=Reason.DISCARDED)] if query.state is State.DEAD else []
    record = the_one(query, *discarded)
    if record is None:
        context.exit(USAGE)
    elif as_json:
        show_json(publication_data(record))
    else:
        show("\n".join(publication_lines(record)))


@operator_command("redeliver")
@_ids
@filters("--reason")
@_all
@yes_option
@who_option
def redeliver(query: PublicationQuery, ids: tuple[str, ...], everything: bool, yes: bool, who: str | None) -> None:
    """Have dead ones run again. IDs are beginnings of event ids; or say which by filters, or --all."""
    queries = selected(query, ids, everything=everything)
    if not (count := _count(queries)):
        say("No dead publication matches; nothing was changed.")
        return
    confirm(f"{_counted(query, count)} will run again.", is_agreed=yes)
    caller = name_of_caller(who)
    done = sum(current_operations().redeliver(found, who=caller) for found in queries)
    say(f"Redelivered {count_text(done, 'publication')}.")


@operator_command("discard")
@_ids
@filters("--of-reason")
@state_option
@_all
@click.option("--reason", "why", required=True, help="Why they are not needed; kept with them.")
@yes_option
@who_option
def discard(
    query: PublicationQuery, ids: tuple[str, ...], everything: bool, *, why: str, yes: bool, who: str | None
) -> None:
    """Give them up for good. IDs are beginnings of event ids; or say which by filters, or --all."""
    queries = selected(query, ids, everything=everything)
    if not (count := _count(queries)):
        say(f"No {query.state} publication matches; nothing was changed.")
        return
    confirm(f"{_counted(query, count)} will never run again.", is_agreed=yes)
    caller = name_of_caller(who)
    done = sum(current_operations().discard(found, who=caller, why=why) for found in queries)
    say(f"Discarded {count_text(done, 'publication')}.")


dead = click.Group(
    "dead",
    help="Publications that were given up. Look, have them run again, discard.",
    commands=[list_dead, groups, show_publication, redeliver, discard],
)


def _count(queries: list[PublicationQuery]) -> int:
    return sum(current_operations().count(query) for query in queries)


def _counted(query: PublicationQuery, count: int) -> str:
    return f"{count or 'No'} {query.state} publication{'' if count == 1 else 's'}"
