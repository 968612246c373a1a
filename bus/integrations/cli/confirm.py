"""Asking before something is destroyed, and knowing who asked for it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from bus.integrations.cli.exits import RefusedError
from bus.integrations.cli.output import say

yes_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--yes", is_flag=True, help="Do not ask; needed where nobody sits at a terminal."
)

who_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--who", help="Who does this; your login name by default."
)


def confirm(what: str, *, is_agreed: bool) -> None:
    """Say what is going to happen, and ask at a terminal.

    Raises:
        RefusedError: The answer was no, or nobody can be asked; nothing was changed.
    """
    say(what)
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise RefusedError("nothing was changed, for nobody can be asked here; repeat it with --yes")
    if not click.confirm("Go on?", err=True):
        raise RefusedError("nothing was changed")


def name_of_caller(given: str | None) -> str:
    """Return who calls: the name that was given, or the login name."""
    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that no user has.
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"
