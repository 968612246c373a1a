"""How every command under `flask bus` runs: with the application's context, and errors told in a sentence."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from bus.database_errors import reason_of
from bus.errors import BusError, RetentionError, SchemaError
from bus.integrations.cli.databases import database_trouble
from bus.integrations.cli.exits import FailedError, RefusedError, UnreachableError, WrongCallError
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
        except SchemaError as error:
            raise FailedError(str(error)) from None
        except BusError as error:
            raise WrongCallError(str(error)) from None
        except SQLAlchemyError as error:
            raise UnreachableError(_trouble(error)) from None

    return answer


def _trouble(error: SQLAlchemyError) -> str:
    for _, parts in sorted(current_operations().modules.items()):
        told = database_trouble(parts.database)
        if told:
            return told
    return f"a module's database refuses this: {reason_of(error)}"
