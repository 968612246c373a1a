"""`flask bus explain`: who listens to an event."""

from __future__ import annotations

from dataclasses import asdict

import click

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.exits import WrongCallError
from bus.integrations.cli.output import json_option, show, show_json
from bus.integrations.current import current_bus


@operator_command("explain")
@click.argument("event")
@json_option
def explain(event: str, as_json: bool) -> None:
    """Show who listens to an event. EVENT is a name, such as order.placed."""
    try:
        found = current_bus().explain(event)
    except LookupError as error:
        raise WrongCallError(str(error)) from None
    if as_json:
        show_json(asdict(found))
    else:
        show(str(found))
