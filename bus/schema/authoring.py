"""Writing a module's next revision: what leads from the tables of its database to those of its code."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import CreateTableOp
from sqlalchemy import CheckConstraint, Column, Connection, create_engine
from sqlalchemy.types import TypeDecorator

from bus.schema.drift import comparison
from bus.schema.revisions import Line

#: What the column that notes revisions has room for.
LONGEST_ID = 32

_TEMPLATE = '''\
"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{id}"
down_revision = {before!r}
branch_labels = {labels!r}
depends_on = None


def upgrade() -> None:
    """{title}."""
{body}'''


def steps_from(connection: Connection, line: Line) -> str:
    """Return the code that leads from the tables of a database to those of a module's line; '' where nothing has to."""
    context = comparison(connection, include_name=_is_of_a_module)
    found = produce_migrations(context, line.metadata).upgrade_ops
    if found is None or found.is_empty():
        return ""
    for made in found.ops:
        if isinstance(made, CreateTableOp):
            made.columns = [*made.columns, *_checks_of_columns(made)]
    code = render_python_code(
        found, render_as_batch=bool(line.revisions), render_item=_plain_type, migration_context=context
    )
    written = "\n".join(text for text in code.splitlines() if text.strip() and not text.strip().startswith("#"))
    return indent(dedent(written), "    ") + "\n"


def steps_from_nothing(line: Line) -> str:
    """Return the code that makes all tables of a module's line."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            return steps_from(connection, line)
    finally:
        engine.dispose()


def write_revision(folder: Path, line: Line, what: str, body: str) -> Path:
    """Write the revision that comes after the last one of a line; return the file."""
    words = re.sub(r"\W+", "_", what.lower()).strip("_")
    id = f"{len(line.revisions) + 1:04d}_{words}"[:LONGEST_ID].rstrip("_")
    for package in (folder.parent, folder):
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
    file = folder / f"r{id}.py"
    file.write_text(
        _TEMPLATE.format(
            title=what[:1].upper() + what[1:].rstrip("."),
            imports="from sqlalchemy.dialects import postgresql\n" if "postgresql." in body else "",
            id=id,
            before=line.revisions[-1] if line.revisions else None,
            labels=None if line.revisions else (line.name,),
            body=body,
        )
    )
    return file


def _is_of_a_module(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or not (name or "").startswith("bus_")


def _checks_of_columns(made: CreateTableOp) -> list[CheckConstraint]:
    """Return the checks that stand within columns, for Alembic writes those of tables alone."""
    columns = [column for column in made.columns if isinstance(column, Column)]
    checks = [check for column in columns for check in column.constraints if isinstance(check, CheckConstraint)]
    return [CheckConstraint(str(check.sqltext), name=check.name) for check in checks]


def _plain_type(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Have a type of the module written as the plain one below it: a revision stays true when the module changes."""
    if kind == "type" and isinstance(thing, TypeDecorator):
        return f"sa.{thing.impl_instance!r}"
    return False
