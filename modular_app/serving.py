"""What a process does when it serves: it says where, and it ends in order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import click
from flask import Flask

from bus import BusError
from bus.integrations.cli.exits import UnreachableError
from modular_app.app import API, create_app
from modular_app.sources import UnusableDatabaseError


def start() -> Flask:
    """Make the application; what stops the start is told in a sentence where a command asked for it.

    Raises:
        ClickException: Under `flask`, for an error that the user can mend.
        BusError: The same error under any other server.
    """
    try:
        return create_app()
    except BusError as error:
        if click.get_current_context(silent=True) is None:
            raise
        ended = UnreachableError if isinstance(error, UnusableDatabaseError) else click.ClickException
        raise ended(str(error)) from None


def announce(app: Flask) -> None:
    """Say on stderr what this start has set up, and under `flask run` where the application is."""
    for notice in app.extensions["modular-app"].notices:
        click.echo(notice, err=True)
    context = click.get_current_context(silent=True)
    if context is not None and context.info_name == "run":
        host, port = _setting(context, "host", "127.0.0.1"), _setting(context, "port", "5000")
        root = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        click.echo(f"The counter will be at {root}/ and its HTTP interface at {root}{API}/docs", err=True)


def _setting(context: click.Context, name: str, default: str) -> str:
    value = context.params.get(name) or os.environ.get(f"FLASK_RUN_{name.upper()}")
    return str(value or default)


def end_on_sigterm(app: Flask) -> None:
    """Make SIGTERM end the open streams, and the interpreter in order, so that the bus finishes what runs.

    Where a server has a handler of its own, that one says how the process ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    bell, before = app.extensions["modular-app"].bell, signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        bell.end()
        if callable(before):
            before(number, frame)
        elif before is signal.SIG_DFL:
            sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def end_at_once(app: Flask) -> None:
    """Have no listener be waited for when the process ends, which it is about to do."""
    app.extensions["modular-app"].bus.grace = 0.0
