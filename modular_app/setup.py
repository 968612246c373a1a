"""What a start makes of empty databases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
from dependency_injector.containers import DeclarativeContainer
from sqlalchemy.exc import DBAPIError

from bus import Database, SchemaError
from modular_app.container import provided
from modular_app.sources import UnusableDatabaseError


def set_up_databases(
    databases: Mapping[str, Database], containers: Mapping[str, DeclarativeContainer]
) -> tuple[str, ...]:
    """Create the tables of empty SQLite files, and what their modules begin with; say what that was.

    Raises:
        SchemaError: A database has not the tables of this code; not while `flask` looks for a command.
        UnusableDatabaseError: A database does not answer.
    """
    notices: list[str | None] = []
    for name, database in databases.items():
        seed = provided(containers[name], "seed")
        try:
            _make_folder(database)
            if _is_prepared(database) and seed is not None:
                notices.append(seed.run())
        except (OSError, DBAPIError) as error:
            raise UnusableDatabaseError(
                f"the database of {name!r}, {_shown(database)}, cannot be used: "
                f"{str(getattr(error, 'orig', error)).strip()}; {_mend(database)}"
            ) from None
        finally:
            database.close()
    return tuple(notice for notice in notices if notice)


def _is_prepared(database: Database) -> bool:
    """Prepare a database for a start; where it cannot be, say so only to a command, which may be there to mend it."""
    try:
        database.schema.prepare()
    except SchemaError:
        context = click.get_current_context(silent=True)
        if context is None or context.info_name == "run":
            raise
        return False
    return True


def _make_folder(database: Database) -> None:
    if not database.is_postgresql:
        Path(database.url.database or "").parent.mkdir(parents=True, exist_ok=True)


def _shown(database: Database) -> str | None:
    return database.shown_url if database.is_postgresql else database.url.database


def _mend(database: Database) -> str:
    if database.is_postgresql:
        return (
            f"start the server, create the database with createdb {database.url.database}, or set FLASK_DATABASE_URL "
            f"or FLASK_DATABASES__{database.name} to one that answers"
        )
    return f"set FLASK_DATABASES__{database.name} to a file that can be written"
