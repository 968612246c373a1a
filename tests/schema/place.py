"""A database in which a module called stock keeps jars, and the revisions that it has there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, inspect, text

from bus import Database
from bus.postgresql import schema_of
from bus.schema.alone import alone
from bus.schema.revisions import Revisions
from bus.schema.schema import Schema

#: The revisions of the bus, as commands tell of them, and the newest one.
ALL_OF_THE_BUS = ", ".join(Revisions("stock", MetaData(), None).bus.revisions)
BUS = ALL_OF_THE_BUS.split(", ")[-1]

FIRST = """\
    op.create_table("jars", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("jar_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["jar_id"], ["jars.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
"""
SECOND = '    op.add_column("jars", sa.Column("name", sa.String(40)))\n'


def jars(*columns: Column[Any]) -> MetaData:
    """Return the tables that the first revision leads to, with what further ones add to the jars."""
    metadata = MetaData()
    Table("jars", metadata, Column("id", Integer, primary_key=True), *columns)
    Table(
        "labels",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("jar_id", ForeignKey("jars.id"), nullable=False),
    )
    return metadata


def named_jars() -> MetaData:
    """Return the tables that the second revision leads to."""
    return jars(Column("name", String(40)))


def checked_jars() -> MetaData:
    """Return tables with a check that stands in a column."""
    return jars(Column("grams", Integer, CheckConstraint("grams > 0", name="not_empty"), nullable=False))


def plant(folder: Path, id: str, before: str | None, body: str, *, depends_on: str | None = None) -> Path:
    """Write a revision; the file has the name that `flask bus db revision` would give it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"r{id}.py"
    head = f"revision = {id!r}\ndown_revision = {before!r}\nbranch_labels = None\ndepends_on = {depends_on!r}\n"
    file.write_text(f"import sqlalchemy as sa\nfrom alembic import op\n\n{head}\n\ndef upgrade():\n{body}")
    return file


@dataclass(frozen=True)
class Place:
    """One database, of a module whose tables and revisions change.

    Attributes:
        database: What opens it.
        folder: Where the module's revisions lie, once some are planted.
    """

    database: Database
    folder: Path

    @property
    def url(self) -> str:
        """What another process reaches it by."""
        return self.database.url.render_as_string(hide_password=False)

    def schema(self, metadata: MetaData | None = None) -> Schema:
        return Schema(
            "stock",
            metadata or MetaData(),
            self.folder,
            writing=self.database.engine,
            reading=self.database.read_engine,
            namespace=schema_of(self.database.url),
        )

    def at_the_first_revision(self) -> None:
        """Plant the first revision, and set the database up with it."""
        plant(self.folder, "0001_jars", None, FIRST)
        self.schema(jars()).set_up()

    def run(self, *statements: str) -> None:
        with self.database.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def run_before_the_bus(self, *statements: str) -> None:
        """Run statements where nothing of ours is yet, not even the schema."""
        with alone(self.database.engine, schema_of(self.database.url)) as connection:
            for statement in statements:
                connection.execute(text(statement))

    def ask(self, query: str) -> list[Any]:
        with self.database.read_engine.connect() as connection:
            return [row[0] if len(row) == 1 else tuple(row) for row in connection.execute(text(query))]

    def tables(self) -> set[str]:
        with self.database.read_engine.connect() as connection:
            return set(inspect(connection).get_table_names())
