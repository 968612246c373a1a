"""How every command under `flask bus` runs: with the application's context, and errors told in a sentence."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bus.errors import BusError, RetentionError
from bus.integrations.cli.exits import RefusedError, UnreachableError, WrongCallError
from bus.integrations.current import current_operations


def operator_command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command that runs with the application, and starts nothing of it."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        return click.command(name)(with_appcontext(_answering(function)))

    return decorate


def _answering(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have errors that an operator can mend told in a sentence, with the exit code of their kind."""

    @functools.wraps(function)
    def answer(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except RetentionError as error:
            raise RefusedError(str(error)) from None
        except BusError as error:
            raise WrongCallError(str(error)) from None
        except SQLAlchemyError as error:
            raise UnreachableError(_database_trouble(error)) from None

    return answer


def _database_trouble(error: SQLAlchemyError) -> str:
    # The statement and its parameters stay out of it: they are code and the users' data.
    why = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    for name, parts in sorted(current_operations().modules.items()):
        if not parts.database.answers():
            return f"the database of {name!r}, {parts.database.shown_url}, does not answer: {why}"
    return f"a module's database refuses this: {why}"
