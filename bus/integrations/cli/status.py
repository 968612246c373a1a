"""`flask bus status`: what each hosted module owes, and how its listeners fare."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from bus.history.watch import ALARM
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import FINE, PROBLEMS
from bus.integrations.cli.output import json_option, show, show_json, show_json_line, table
from bus.integrations.current import current_bus, current_operations
from bus.status import ListenerStatus, ModuleStatus, PausedStatus
from bus.words import count_text, duration_text, one_line

_HEADERS = ("LISTENER", "COMPLETED", "OPEN", "OLDEST", "RETRYING", "PARKED", "DEAD")


@operator_command("status")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds between looks."
)
@json_option
@click.pass_context
def status(context: click.Context, watch: bool, interval: float, as_json: bool) -> None:
    """Show how every module fares. Exit 1 when one is in trouble."""
    if watch:
        context.exit(_watch(_draw_line if as_json else _redraw, interval))
    context.exit(_look(_draw_json if as_json else _draw))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look has found.

    Attributes:
        modules: How each hosted module fares.
        where: Where events travel.
        is_ready: Whether they can.
        unserved: The modules that are owed something, and have no worker.
    """

    modules: list[ModuleStatus]
    where: str
    is_ready: bool
    unserved: list[str]

    @property
    def is_degraded(self) -> bool:
        """Say whether somebody should look."""
        return not self.is_ready or bool(self.unserved) or any(found.is_degraded for found in self.modules)


def _look(draw: Callable[[_Seen], None]) -> int:
    modules, operations = current_bus().life.status(), current_operations()
    seen = _Seen(modules, operations.transport.where(), operations.transport.is_ready(), operations.unserved(modules))
    draw(seen)
    return PROBLEMS if seen.is_degraded else FINE


def _watch(draw: Callable[[_Seen], None], interval: float) -> int:
    """Look until somebody interrupts; return what the last look has found."""
    code = FINE
    try:
        while True:
            code = _look(draw)
            time.sleep(interval)
    except KeyboardInterrupt:
        return code


def _draw(seen: _Seen) -> None:
    modules = ("\n".join(_lines(found, seen.unserved)) for found in seen.modules)
    show("\n\n".join([*_way(seen), *modules]))


def _redraw(seen: _Seen) -> None:
    click.clear()
    _draw(seen)


def _draw_json(seen: _Seen) -> None:
    show_json(_data(seen))


def _draw_line(seen: _Seen) -> None:
    show_json_line(_data(seen))


def _data(seen: _Seen) -> dict[str, Any]:
    return {
        "degraded": seen.is_degraded,
        "transport": {"where": seen.where, "ready": seen.is_ready, "unserved": seen.unserved},
        "modules": [{**asdict(found), "degraded": found.is_degraded} for found in seen.modules],
    }


def _way(seen: _Seen) -> Iterator[str]:
    if not current_operations().transport.is_local:
        yield f"events travel over {seen.where}" + ("" if seen.is_ready else ", which does not answer")


def _lines(found: ModuleStatus, unserved: Collection[str]) -> Iterator[str]:
    yield f"{found.module}{'  (in trouble)' if found.is_degraded else ''}"
    for owed in found.owed:
        nobody = ", which has no worker" if owed.target in unserved else ""
        age = _seconds(owed.oldest_seconds)
        yield f"  owes {owed.target} {count_text(owed.count, 'event')}, the oldest for {age}{nobody}"
    if not found.owed:
        yield "  owes nothing"
    if found.quarantined:
        yield f"  {count_text(found.quarantined, 'message')} in quarantine"
    if found.held_back_seconds is not None and found.held_back_seconds > ALARM:
        yield f"  readers of its history wait for a transaction that does not end, {_seconds(found.held_back_seconds)}"
    if found.listeners:
        header, *rows = table(_HEADERS, [_cells(listener) for listener in found.listeners], _HEADERS[1:])
        yield f"  {header}"
        for listener, row in zip(found.listeners, rows, strict=True):
            yield f"  {row}"
            yield from (f"    {note}" for note in _notes(listener))


def _cells(listener: ListenerStatus) -> tuple[str, ...]:
    counts = (listener.retrying, listener.parked, listener.dead)
    oldest = "-" if listener.oldest_seconds is None else _seconds(listener.oldest_seconds)
    return listener.id, str(listener.completed), str(listener.open), oldest, *map(str, counts)


def _notes(listener: ListenerStatus) -> Iterator[str]:
    if not listener.known and listener.id != "*":
        yield "orphan: this build has no such listener"
    if listener.paused is not None:
        yield _pause(listener.paused)
    if listener.last_error:
        yield f"last error: {one_line(listener.last_error)}"


def _pause(pause: PausedStatus) -> str:
    end = "until it is resumed" if pause.seconds_left is None else f"for {_seconds(pause.seconds_left)} more"
    return f"paused {end} by {pause.who}: {one_line(pause.reason)}"


def _seconds(seconds: float) -> str:
    return duration_text(int(seconds * 1_000_000))
