"""How commands end: their exit codes, and the errors that carry them."""

from __future__ import annotations

import click

#: What the commands exit with: all is well; problems were found; a wrong call; a database is away; refused.
FINE, PROBLEMS, USAGE, UNREACHABLE, REFUSED = 0, 1, 2, 3, 4


class FailedError(click.ClickException):
    """Raised to end a command that found, or ran into, what somebody should mend."""

    exit_code = PROBLEMS


class WrongCallError(click.ClickException):
    """Raised to end a command that names what is not there, or not clearly."""

    exit_code = USAGE


class UnreachableError(click.ClickException):
    """Raised to end a command whose database does not answer."""

    exit_code = UNREACHABLE


class RefusedError(click.ClickException):
    """Raised to end a command that must not do, or was not allowed to do, what it was asked for."""

    exit_code = REFUSED
