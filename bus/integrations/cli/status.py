"""`flask bus status`: what each hosted module owes, and how its listeners fare."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import FINE, PROBLEMS
from bus.integrations.cli.output import json_option, show, show_json, show_json_line, table
from bus.integrations.current import current_bus
from bus.status import LATE, ListenerStatus, ModuleStatus, PausedStatus
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


def _look(draw: Callable[[list[ModuleStatus]], None]) -> int:
    modules = current_bus().life.status()
    draw(modules)
    return PROBLEMS if any(found.is_degraded for found in modules) else FINE


def _watch(draw: Callable[[list[ModuleStatus]], None], interval: float) -> int:
    """Look until somebody interrupts; return what the last look has found."""
    code = FINE
    try:
        while True:
            code = _look(draw)
            time.sleep(interval)
    except KeyboardInterrupt:
        return code


def _draw(modules: list[ModuleStatus]) -> None:
    show("\n\n".join("\n".join(_lines(found)) for found in modules))


def _redraw(modules: list[ModuleStatus]) -> None:
    click.clear()
    _draw(modules)


def _draw_json(modules: list[ModuleStatus]) -> None:
    show_json(_data(modules))


def _draw_line(modules: list[ModuleStatus]) -> None:
    show_json_line(_data(modules))


def _data(modules: Sequence[ModuleStatus]) -> dict[str, Any]:
    return {
        "degraded": any(found.is_degraded for found in modules),
        "modules": [{**asdict(found), "degraded": found.is_degraded} for found in modules],
    }


def _lines(found: ModuleStatus) -> Iterator[str]:
    yield f"{found.module}{'  (in trouble)' if found.is_degraded else ''}"
    for owed in found.owed:
        yield f"  owes {owed.target} {count_text(owed.count, 'event')}, the oldest for {_seconds(owed.oldest_seconds)}"
    if not found.owed:
        yield "  owes nothing"
    if found.quarantined:
        yield f"  {count_text(found.quarantined, 'message')} in quarantine"
    if found.held_back_seconds is not None and found.held_back_seconds > LATE:
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
