"""Which publications a command of `flask bus dead` means: filters, ids, all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from bus.inbox.dead_letters import PublicationQuery, PublicationRecord
from bus.inbox.state import Reason, State
from bus.integrations.cli.durations import MOMENT, moment_of
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.cli.output import say
from bus.integrations.current import current_bus, current_operations

#: Publications that are named when the beginning of an id means several.
CANDIDATES = 10

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_FILTERS: tuple[Decorator, ...] = (
    click.option("--listener", help="The stored id of the listener."),
    click.option("--event", "event_name", metavar="NAME", help="The name of the event."),
    click.option("--id", "event_id", metavar="PREFIX", help="The beginning of the event's id."),
    click.option("--error", "error_type", metavar="TYPE", help="The name of the exception, such as ValueError."),
    click.option("--place", help="Where it was raised, as `groups` shows it."),
    click.option("--key", help="The key of the event."),
    click.option("--since", type=MOMENT, help="Ended, or due, since: 2h ago, or 2026-01-31T12:00:00Z."),
    click.option("--until", type=MOMENT, help="Ended, or due, before: 3d ago, or 2026-01-31T12:00:00Z."),
)
_NAMES = ("listener", "event_name", "event_id", "error_type", "place", "key", "reason", "since", "until")

state_option: Decorator = click.option(
    "--state",
    type=click.Choice([State.DEAD.value, State.RETRYING.value]),
    default=State.DEAD.value,
    help="Dead ones, or those that are retrying, parked and orphaned ones among them.",
)


def filters(reason_option: str) -> Decorator:
    """Add the filters to a command, and hand their sum to it as `query`."""
    by_reason: Decorator = click.option(
        reason_option,
        "reason",
        type=click.Choice([reason.value for reason in Reason]),
        metavar="REASON",
        help="Why they are in their state, such as failed, crashed, permanent, too_old, discarded, undecodable.",
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(**options: Any) -> Any:
            given = {name: options.pop(name) for name in _NAMES}
            state = State(options.pop("state", State.DEAD))
            return function(query=_query(state, given), **options)

        decorated: Callable[..., Any] = run
        for option in (by_reason, *reversed(_FILTERS)):
            decorated = option(decorated)
        return decorated

    return decorate


def _query(state: State, given: dict[str, Any]) -> PublicationQuery:
    clock = current_bus().clock
    moments = {name: moment_of(given[name], clock) for name in ("since", "until") if given[name] is not None}
    reason = None if given["reason"] is None else Reason(given["reason"])
    return PublicationQuery(state=state, **{**given, "reason": reason, **moments})


def selected(query: PublicationQuery, ids: Sequence[str], *, everything: bool) -> list[PublicationQuery]:
    """Return what is meant, as queries that overlap nowhere: one, or one for each id that was given.

    An id that nothing matches is said so and passed over.

    Raises:
        UsageError: Nothing was selected.
        WrongCallError: An id is the beginning of several.
    """
    if ids:
        found = [the_one(replace(query, event_id=id)) for id in dict.fromkeys(ids)]
        return [_exactly(query, record) for record in dict.fromkeys(found) if record is not None]
    if query == PublicationQuery(state=query.state) and not everything:
        raise click.UsageError("say which: by ids, by filters such as --listener or --error, or --all")
    return [query]


def the_one(*queries: PublicationQuery) -> PublicationRecord | None:
    """Return the publication that queries with the beginning of an id mean; None, and said so, where there is none.

    The queries are asked in turn, until one finds something.

    Raises:
        WrongCallError: There are several.
    """
    answers = (current_operations().find(query, limit=CANDIDATES + 1) for query in queries)
    found = next(filter(None, answers), [])
    query = queries[0]
    whole = [record for record in found if record.event_id == query.event_id]
    if len(whole or found) == 1:
        return (whole or found)[0]
    if not found:
        say(f"No {query.state} publication of an event whose id begins {query.event_id!r} matches.")
        return None
    lines = [f"  {record.event_id}  {record.listener_id}" for record in (whole or found)[:CANDIDATES]]
    more = ["  …"] if len(found) > CANDIDATES else []
    mend = "name one with --listener" if whole else "write more of it, or name a listener with --listener"
    raise WrongCallError("\n".join([f"{query.event_id!r} means several publications; {mend}:", *lines, *more]))


def _exactly(query: PublicationQuery, record: PublicationRecord) -> PublicationQuery:
    return replace(query, event_id=record.event_id, listener=record.listener_id)
