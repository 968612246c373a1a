"""The tables of one module's database: looked at, set up, upgraded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData

from bus.errors import SchemaError
from bus.schema.alone import alone
from bus.schema.authoring import steps_from, steps_from_nothing, write_revision
from bus.schema.drift import differences
from bus.schema.layout import Layout, read_layout
from bus.schema.revisions import Revisions
from bus.schema.standing import Kind, Standing, complaint, judge
from bus.schema.upgrading import bring_forward, sql_of


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade has found, and what it has left."""

    before: Standing
    after: Standing


class Schema:
    """The tables of one module's database: the bus's, and the module's own.

    Attributes:
        name: The name of the module.
        revisions: What leads to the tables.
        folder: Where the module's own revisions lie, or would; None for a module without a package.

    Raises:
        SchemaError: The revisions are none that follow one another.
    """

    def __init__(
        self,
        name: str,
        metadata: MetaData,
        folder: Path | None,
        *,
        writing: Engine,
        reading: Engine,
        namespace: str | None = None,
    ) -> None:
        self.name = name
        self.folder = folder
        self.revisions = Revisions(name, metadata, folder)
        self._writing = writing
        self._reading = reading
        self._namespace = namespace

    @property
    def dialect(self) -> str:
        """The kind of the database: `sqlite`, `postgresql`."""
        return self._writing.dialect.name

    def standing(self) -> Standing:
        """Say how the database stands to the code; writes nothing, and makes no file."""
        if self._is_no_file_yet():
            return judge(self.revisions, Layout({}))
        with self._reading.connect() as connection:
            return self._standing(connection)

    def examine(self) -> Standing:
        """Say how the database stands to the code; if it has every revision, compare it closely. Writes nothing."""
        standing = self.standing()
        if standing.kind not in (Kind.CURRENT, Kind.DIFFERENT):
            return standing
        with self._reading.connect() as connection:
            found = differences(connection, self.revisions)
        return replace(standing, kind=Kind.DIFFERENT if found else Kind.CURRENT, problems=found)

    def check(self) -> None:
        """Look whether the database has the tables that the code works with; writes nothing.

        Raises:
            SchemaError: It has not; the message names the command that mends it.
        """
        told = complaint(self.revisions, self.standing())
        if told:
            raise SchemaError(told)

    def prepare(self) -> bool:
        """Make a database ready for a start: set up an embedded one that is empty, and check any other.

        Returns:
            Whether it was set up.

        Raises:
            SchemaError: The database has not the tables that the code works with.
        """
        if self.dialect == "sqlite":
            return self.set_up()
        self.check()
        return False

    def set_up(self) -> bool:
        """Make the tables in an empty database; note the revisions where only that is missing.

        Safe when several processes do it at once: one makes them, the others wait and find them.

        Returns:
            Whether this call has made the tables.

        Raises:
            SchemaError: The database has tables, and they are not those that the code works with.
        """
        if self.standing().kind not in (Kind.EMPTY, Kind.UNNOTED):
            self.check()
            return False
        done = self.upgrade()
        if done.after.kind is not Kind.CURRENT:
            raise SchemaError(complaint(self.revisions, done.after))
        return done.before.kind is Kind.EMPTY

    def upgrade(self) -> Upgrade:
        """Give the database what it lacks, all of it or nothing; where it lacks nothing, change nothing.

        Several processes may do it at once: one upgrades, the others wait and find it done.

        Raises:
            SchemaError: A revision has failed, or the database is not what any revision begins with.
        """
        with alone(self._writing, self._namespace) as connection:
            before = self._standing(connection)
            if before.kind in (Kind.AHEAD, Kind.FOREIGN):
                raise SchemaError(complaint(self.revisions, before))
            if before.lacks_something:
                bring_forward(connection, self.revisions, before)
            return Upgrade(before, self._standing(connection))

    def sql(self) -> str:
        """Return the statements of the upgrade that the database needs; '' where it needs none."""
        standing = self.standing()
        if standing.kind in (Kind.AHEAD, Kind.FOREIGN):
            raise SchemaError(complaint(self.revisions, standing))
        if not standing.lacks_something:
            return ""
        return self._sql_of(self.dialect, standing)

    def sql_from_nothing(self, dialect: str) -> str:
        """Return the statements that make the tables in an empty database of a kind; asks none."""
        return self._sql_of(dialect, judge(self.revisions, Layout({})))

    def write_revision(self, what: str) -> Path:
        """Write the module's next revision: what leads from the tables of the database to those of the code.

        The first one makes all tables, whatever the database holds.

        Args:
            what: What it does, in a few words.

        Returns:
            The file, to be read before it is kept: a renamed column looks like one that went and one that came.

        Raises:
            SchemaError: The module has no package, nothing has changed, or the database is not at the last revision.
        """
        if self.folder is None:
            raise SchemaError(f"module {self.name!r} names no package in which a revision could lie")
        line = self.revisions.own
        body = self._steps_to_the_code() if line.revisions else steps_from_nothing(line)
        if not body:
            raise SchemaError(f"the tables of {self.name!r} are those of its code; there is no revision to write")
        return write_revision(self.folder, line, what, body)

    def _steps_to_the_code(self) -> str:
        standing = self.standing()
        if standing.kind not in (Kind.CURRENT, Kind.DIFFERENT):
            raise SchemaError(complaint(self.revisions, standing))
        with self._reading.connect() as connection:
            return steps_from(connection, self.revisions.own)

    def _sql_of(self, dialect: str, standing: Standing) -> str:
        statements = sql_of(dialect, self.revisions, standing)
        if dialect != "postgresql" or self._namespace is None:
            return statements
        quoted = '"' + self._namespace.replace('"', '""') + '"'
        return f"CREATE SCHEMA IF NOT EXISTS {quoted};\nSET search_path TO {quoted};\n\n{statements}"

    def _standing(self, connection: Connection) -> Standing:
        return judge(self.revisions, read_layout(connection))

    def _is_no_file_yet(self) -> bool:
        file = self._reading.url.database
        return self.dialect == "sqlite" and file is not None and not Path(file).exists()
