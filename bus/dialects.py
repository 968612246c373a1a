"""What the statements of the stores say differently on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from bus.database import Database
from bus.errors import PublicationHeldError
from bus.prepared import Prepared

#: How the server writes that something is so.
_TRUE = b"t"

#: An insert that can say what happens where the row exists.
Upsert = sqlite.Insert | postgresql.Insert


class Dialect(Protocol):
    """Builds parts of statements for one kind of database."""

    def among(self, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
        """Return that a column has one of these values."""
        ...

    def taken_from(self, column: ColumnElement[str], rows: Select[Any]) -> ColumnElement[bool]:
        """Return that a column is among the rows, which nobody else takes at the same time."""
        ...

    def unheld(self, rows: Select[Any]) -> Select[Any]:
        """Return the rows without those that another transaction holds; they are held then. Waits for nobody."""
        ...

    def upsert(self, table: Table) -> Upsert:
        """Return an insert that can say what happens where the row exists."""
        ...

    def taking(self, table: Table, values: dict[str, ColumnElement[Any]]) -> ClauseElement:
        """Return the statement that adds a row, unless there is one; see `took`."""
        ...

    def took(
        self, connection: Connection, taking: Prepared, parameters: dict[str, object], *, commit: bool = False
    ) -> bool:
        """Execute what `taking` has returned, and commit it where `commit` says so.

        False where the row is there already, committed.

        Raises:
            PublicationHeldError: Another transaction has the row and has not ended; nobody waits for it.
        """
        ...

    def begin(self, connection: Connection) -> None:
        """Begin again after a statement that was committed, at the latest with the next one."""
        ...

    def hitting_one(self, change: Update) -> ClauseElement:
        """Return a change that is refused, as `Prepared.execute` says, unless it hits exactly one row."""
        ...


class SqliteDialect:
    """The write lock of the file keeps others out, so that nothing is ever held by somebody else."""

    def among(self, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
        """Return that a column has one of these values."""
        return column.in_(values)

    def taken_from(self, column: ColumnElement[str], rows: Select[Any]) -> ColumnElement[bool]:
        """Return that a column is among the rows."""
        return column.in_(rows)

    def unheld(self, rows: Select[Any]) -> Select[Any]:
        """Return the rows."""
        return rows

    def upsert(self, table: Table) -> sqlite.Insert:
        """Return SQLite's insert."""
        return sqlite.insert(table)

    def taking(self, table: Table, values: dict[str, ColumnElement[Any]]) -> ClauseElement:
        """Return an insert that does nothing where the row exists."""
        return sqlite.insert(table).values(values).on_conflict_do_nothing()

    def took(
        self, connection: Connection, taking: Prepared, parameters: dict[str, object], *, commit: bool = False
    ) -> bool:
        """Execute it and say whether there is a new row."""
        return taking.execute(connection, parameters, commit=commit).rowcount == 1

    def begin(self, connection: Connection) -> None:
        """Take the write lock again where it was let go."""
        driver: Any = connection.connection.driver_connection
        if connection.in_transaction() and not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def hitting_one(self, change: Update) -> ClauseElement:
        """Return the change: its answer is looked at before the COMMIT."""
        return change


class PostgresqlDialect:
    """Rows are locked one by one, and what somebody else holds is left to them."""

    def among(self, column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
        """Return that a column has one of these values, as one parameter however many there are."""
        return column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(Text)))

    def taken_from(self, column: ColumnElement[str], rows: Select[Any]) -> ColumnElement[bool]:
        """Return that a column is among the rows, which are locked; found by its index, which a join would not use."""
        return column == any_(func.array(self.unheld(rows).scalar_subquery()))

    def unheld(self, rows: Select[Any]) -> Select[Any]:
        """Return the rows that nobody has locked."""
        return rows.with_for_update(skip_locked=True)

    def upsert(self, table: Table) -> postgresql.Insert:
        """Return PostgreSQL's insert."""
        return postgresql.insert(table)

    def taking(self, table: Table, values: dict[str, ColumnElement[Any]]) -> ClauseElement:
        """Return an insert under an advisory lock on the row's key, which is tried and never waited for.

        An insert alone would wait until whoever has inserted the key and not committed has ended: for as long as
        that listener runs. So would one of a row that is there and that such a run has changed: it is looked for first.
        """
        # The table's own number keeps apart what two schemas of one database hold.
        table_number: ColumnElement[int] = literal_column(f"'{table.name}'::regclass::bigint")
        key = func.hashtextextended(func.concat(*(values[c.name] for c in table.primary_key), " "), table_number)
        lock = select(func.pg_try_advisory_xact_lock(key).label("is_free")).cte("lock")
        is_there = exists().where(*(column == values[column.name] for column in table.primary_key))
        row = select(*values.values()).select_from(lock).where(lock.c.is_free, ~is_there)
        adding = postgresql.insert(table).from_select(list(values), row, include_defaults=False)
        added = adding.on_conflict_do_nothing().returning(*table.primary_key).cte("added")
        return select(lock.c.is_free, exists(select(added.c[0])).label("is_added"))

    def took(
        self, connection: Connection, taking: Prepared, parameters: dict[str, object], *, commit: bool = False
    ) -> bool:
        """Execute it and say whether there is a new row."""
        is_free, is_added = taking.execute(connection, parameters, commit=commit).row or (None, None)
        if is_free != _TRUE:
            raise PublicationHeldError("another transaction holds the publication and has not ended")
        return bool(is_added == _TRUE)

    def begin(self, connection: Connection) -> None:
        """Do nothing: the next statement begins."""

    def hitting_one(self, change: Update) -> ClauseElement:
        """Return the change with a division by the number of its rows: the COMMIT is on its way when it is answered."""
        done = change.returning(literal_column("1")).cte("done")
        return select(literal_column("1 / count(*)")).select_from(done)


def dialect_of(database: Database) -> Dialect:
    """Return how statements for this database are built."""
    return PostgresqlDialect() if database.is_postgresql else SqliteDialect()
