"""`flask bus config`: what this process is set to, and by whom."""

from __future__ import annotations

from dataclasses import asdict

from bus.integrations.cli.command import operator_command
from bus.integrations.cli.output import json_option, show, show_json, table
from bus.integrations.current import current_settings


@operator_command("config")
@json_option
def config(as_json: bool) -> None:
    """Show each setting and its source. Secrets are masked."""
    found = current_settings()
    if as_json:
        show_json({"settings": [asdict(setting) for setting in found]})
    else:
        rows = [(setting.key, setting.value, setting.source) for setting in found]
        show("\n".join(table(("KEY", "VALUE", "FROM"), rows)))
