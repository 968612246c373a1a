"""Tables that were made before revisions were noted: which revision they are at, told by their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import create_engine

from bus.errors import SchemaError
from bus.schema.layout import VERSION_TABLE, Layout, read_layout
from bus.schema.revisions import Line, Revisions
from bus.schema.running import run_revisions

#: What the tables of the bus begin with, and no other.
_BUS = "bus_"

Tables = Mapping[str, frozenset[str]]


def revision_of(line: Line, revisions: Revisions, found: Layout) -> str | None:
    """Return the newest revision of a line that leads to the tables that were found, or None where none does.

    The revisions are run in memory, for nothing else says what each leads to.

    Raises:
        SchemaError: They cannot be run there.
    """
    there = _of_line(line, revisions, found)
    reached = [(id, _of_line(line, revisions, layout)) for id, layout in _run_in_memory(revisions)]
    return next((id for id, tables in reversed(reached) if id in line.revisions and _are(tables, there)), None)


def _are(expected: Tables, there: Tables) -> bool:
    """Say whether these tables are there; others beside them may be anybody's."""
    return bool(expected) and all(there.get(name) == columns for name, columns in expected.items())


def _of_line(line: Line, revisions: Revisions, layout: Layout) -> Tables:
    is_of_bus = line is revisions.bus
    return {
        name: columns
        for name, columns in layout.tables.items()
        if name.startswith(_BUS) == is_of_bus and name != VERSION_TABLE
    }


def _run_in_memory(revisions: Revisions) -> list[tuple[str, Layout]]:
    """Run every revision in an empty database, and return what each has led to."""
    reached: list[tuple[str, Layout]] = []
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:

            def steps(noted: tuple[str, ...], _context: MigrationContext) -> Iterator[MigrationStep]:
                for id, step in revisions.steps(noted, ()):
                    yield step
                    reached.append((id, read_layout(connection)))

            run_revisions(MigrationContext.configure(connection, opts={"fn": steps, "version_table": VERSION_TABLE}))
    except Exception as error:
        # A revision may need what only another kind of database has.
        raise SchemaError(f"the revisions of {revisions.name!r} cannot be run in memory: {error}") from error
    finally:
        engine.dispose()
    return reached
