"""`flask bus tail`: following what is published."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import click

from bus.errors import UnknownTargetError
from bus.history.store import HistoryStore, RecordedEvent
from bus.integrations.cli.command import operator_command
from bus.integrations.cli.events import event_data, event_line
from bus.integrations.cli.output import json_option, say, show, show_json_line
from bus.integrations.current import current_bus, current_operations
from bus.masking import Masking

#: Events that one look takes from a module; what is more comes with the next.
_AT_ONCE = 500


@operator_command("tail")
@click.argument("name", required=False)
@click.option("--module", help="Only what this module publishes.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many events; at Ctrl-C by default.")
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between looks."
)
@json_option
def tail(name: str | None, module: str | None, limit: int | None, interval: float, as_json: bool) -> None:
    """Follow what is published from now on. A line each; all events, or those of a NAME."""
    masking = Masking(current_bus().catalogue)
    draw = _drawing(masking, as_json)
    try:
        for number, recorded in enumerate(_following(_histories(module), name, interval), 1):
            draw(recorded)
            if number == limit:
                break
    except KeyboardInterrupt:
        # That is how somebody who has seen enough ends it.
        return


def _histories(module: str | None) -> dict[str, HistoryStore]:
    modules = current_operations().modules
    if module is not None and module not in modules:
        raise UnknownTargetError(module, sorted(modules))
    return {name: parts.history for name, parts in sorted(modules.items()) if module in (None, name)}


def _following(histories: dict[str, HistoryStore], name: str | None, interval: float) -> Iterator[RecordedEvent]:
    seen = {module: history.end() for module, history in histories.items()}
    say("Waiting for events; Ctrl-C ends it.")
    while True:
        fresh: list[RecordedEvent] = []
        for module, history in histories.items():
            found = history.following(seen[module], _AT_ONCE, name=name)
            seen[module] = found[-1].place if found else seen[module]
            fresh += found
        yield from sorted(fresh, key=lambda recorded: (recorded.envelope.time, recorded.envelope.id))
        time.sleep(interval)


def _drawing(masking: Masking, as_json: bool) -> Callable[[RecordedEvent], None]:
    def draw(recorded: RecordedEvent) -> None:
        if as_json:
            show_json_line(event_data(recorded, masking))
        else:
            show(event_line(recorded, masking))

    return draw
