"""The revisions that lead to the tables of one database: the bus's and the module's own, read from their folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.runtime.migration import MigrationStep, StampStep
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData

from bus import migrations
from bus.errors import SchemaError
from bus.tables import metadata as bus_tables

#: The folder of the bus's own revisions.
BUS_FOLDER = Path(migrations.__file__).parent.resolve() / "versions"


@dataclass(frozen=True, slots=True)
class Line:
    """Tables that change together.

    Attributes:
        name: `bus`, or the module's.
        metadata: The tables as this code works with them.
        revisions: The ids of what leads to them, oldest first; where there are none the tables are made as they are.
    """

    name: str
    metadata: MetaData
    revisions: tuple[str, ...]


class Revisions:
    """The revisions of one module's database, in two lines that go on side by side.

    Args:
        name: The name of the module.
        metadata: The module's own tables.
        folder: Where its own revisions lie, if it has any.

    Raises:
        SchemaError: A file is no revision of its own, or a line has two ends, or none.
    """

    def __init__(self, name: str, metadata: MetaData, folder: Path | None) -> None:
        self.name = name
        own = folder.resolve() if folder is not None and _files(folder) else None
        folders = [BUS_FOLDER] if own is None else [BUS_FOLDER, own]
        self._scripts = ScriptDirectory(str(BUS_FOLDER.parent), version_locations=[str(found) for found in folders])
        with self._told():
            self._all = list(reversed(list(self._scripts.walk_revisions())))
        self.bus = Line("bus", bus_tables, self._in_folder(BUS_FOLDER))
        self.own = Line(name, metadata, () if own is None else self._in_folder(own))

    @property
    def lines(self) -> tuple[Line, Line]:
        """The bus's line, and the module's."""
        return self.bus, self.own

    @property
    def known(self) -> frozenset[str]:
        """The ids of all revisions."""
        return frozenset(script.revision for script in self._all)

    def pending(self, noted: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of the revisions that a database still needs which is at these, in their order."""
        return tuple(script.revision for script in self._pending(noted))

    def file_of(self, revision: str) -> str:
        """Return the name of the file that holds a revision."""
        return next(Path(script.path).name for script in self._all if script.revision == revision)

    def steps(self, noted: Iterable[str], adopted: Iterable[str]) -> Iterator[tuple[str, MigrationStep]]:
        """Yield what brings a database forward that is at these revisions, each with the id of the revision.

        The adopted ones are only noted, for their tables are there; what comes after them is run.
        """
        for revision in adopted:
            yield revision, StampStep(None, revision, True, True, self._scripts.revision_map)
        for script in self._pending([*noted, *adopted]):
            yield script.revision, MigrationStep.upgrade_from_script(self._scripts.revision_map, script)

    def _pending(self, noted: Iterable[str]) -> list[Script]:
        with self._told():
            newest_first = list(self._scripts.iterate_revisions("heads", tuple(noted), implicit_base=True))
        # The bus's depend on none of a module's, and may be what these build on.
        return sorted(reversed(newest_first), key=lambda script: Path(script.path).parent != BUS_FOLDER)

    def _in_folder(self, folder: Path) -> tuple[str, ...]:
        found = [script for script in self._all if Path(script.path).parent == folder]
        stray = _files(folder) - {Path(script.path) for script in found}
        if stray:
            names = ", ".join(sorted(file.name for file in stray))
            raise SchemaError(f"{names} of {self.name!r}: it has no revision id, or that of another file beside it")
        ends = [script.revision for script in found if script.is_head]
        if len(ends) != 1:
            raise SchemaError(
                f"the revisions of {self.name!r} have {len(ends)} ends: {', '.join(ends)}; they are one line, so give "
                "each its down_revision: the id of the one before it"
            )
        return tuple(script.revision for script in found)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (CommandError, KeyError) as error:
            raise SchemaError(f"the revisions of {self.name!r} cannot be put in order: {error}") from error


def _files(folder: Path) -> set[Path]:
    return {file for file in folder.glob("*.py") if file.name != "__init__.py"}
