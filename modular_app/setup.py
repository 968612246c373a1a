"""What a start makes of empty databases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dependency_injector.containers import DeclarativeContainer
from sqlalchemy.exc import DBAPIError

from bus import Database
from modular_app.container import provided
from modular_app.sources import UnusableDatabaseError


def set_up_databases(
    databases: Mapping[str, Database], containers: Mapping[str, DeclarativeContainer]
) -> tuple[str, ...]:
    """Create the tables of empty databases, and what their modules begin with; say what that was."""
    notices = []
    for name, database in databases.items():
        seed = provided(containers[name], "seed")
        try:
            Path(database.url.database or "").parent.mkdir(parents=True, exist_ok=True)
            database.create_tables()
            notices.append(None if seed is None else seed.run())
        except (OSError, DBAPIError) as error:
            raise UnusableDatabaseError(
                f"the database of {name!r}, {database.url.database}, cannot be used: {getattr(error, 'orig', error)}; "
                f"set FLASK_DATABASES__{name} to a file that can be written"
            ) from None
        finally:
            database.close()
    return tuple(notice for notice in notices if notice)
