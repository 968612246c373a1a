"""`flask bus`: what an operator asks of a running application. Data goes to stdout, talk to stderr."""

from __future__ import annotations

import click

from bus.integrations.cli.check import check
from bus.integrations.cli.config import config
from bus.integrations.cli.db import db
from bus.integrations.cli.dead import dead
from bus.integrations.cli.events import events
from bus.integrations.cli.explain import explain
from bus.integrations.cli.pause import pause, resume
from bus.integrations.cli.purge import purge
from bus.integrations.cli.quarantine import quarantine
from bus.integrations.cli.status import status
from bus.integrations.cli.tail import tail
from bus.integrations.cli.trace import trace
from bus.integrations.cli.worker import worker

__all__ = ["bus_commands"]

bus_commands = click.Group(
    "bus",
    help="Look into the event bus, and mend what has gone wrong.",
    commands=[
        status,
        check,
        explain,
        events,
        trace,
        tail,
        dead,
        pause,
        resume,
        quarantine,
        purge,
        db,
        config,
        worker,
    ],
)
