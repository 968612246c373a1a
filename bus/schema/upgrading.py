"""Bringing a database forward with Alembic: in it, or as SQL for somebody who runs it there."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.util import CommandError
from sqlalchemy import Connection

from bus.errors import SchemaError
from bus.schema.layout import VERSION_TABLE
from bus.schema.revisions import Revisions
from bus.schema.running import run_revisions
from bus.schema.standing import Standing


def bring_forward(connection: Connection, revisions: Revisions, standing: Standing) -> None:
    """Give a database what it lacks, in the transaction that is running on the connection.

    Raises:
        SchemaError: A revision has failed; the transaction has to be rolled back.
    """
    begun: list[str] = []
    context = MigrationContext.configure(connection, opts=_options(revisions, standing, begun))
    try:
        _run(context, standing, begun)
    except Exception as error:
        # Whatever a revision raises: whoever upgrades has to read which one it was, and that nothing of it stays.
        at = f"revision {begun[-1]} ({revisions.file_of(begun[-1])})" if begun else "making its tables"
        raise SchemaError(
            f"the upgrade of {revisions.name!r} failed at {at}, and its database is as it was before: {_reason(error)}"
        ) from error


def sql_of(dialect: str, revisions: Revisions, standing: Standing) -> str:
    """Return the statements that give a database what it lacks; asks none.

    Raises:
        SchemaError: A revision needs the database itself.
    """
    written = StringIO()
    begun: list[str] = []
    opts = _options(revisions, standing, begun)
    opts |= {
        "as_sql": True,
        "output_buffer": written,
        "transactional_ddl": True,
        "starting_rev": standing.noted or None,
    }
    context = MigrationContext.configure(dialect_name=dialect, opts=opts)
    try:
        with context.begin_transaction():
            _run(context, standing, begun)
    except CommandError as error:
        raise SchemaError(f"the SQL of {revisions.name!r} cannot be written without its database: {error}") from error
    return written.getvalue().strip() + "\n"


def _options(revisions: Revisions, standing: Standing, begun: list[str]) -> dict[str, Any]:
    def steps(noted: tuple[str, ...], _context: MigrationContext) -> Iterator[MigrationStep]:
        for revision, step in revisions.steps(noted, standing.adopted):
            begun.append(revision)
            yield step

    return {"fn": steps, "version_table": VERSION_TABLE}


def _run(context: MigrationContext, standing: Standing, begun: list[str]) -> None:
    run_revisions(context)
    begun.clear()
    for line in standing.unmade:
        line.metadata.create_all(context.connection, checkfirst=False)  # type: ignore[arg-type]  # or its stand-in


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error) or type(error).__name__
