"""What a database holds, in every detail that it tells of: for comparing two ways to the same tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect, text

from bus.schema.layout import VERSION_TABLE

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, o.collname,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_collation o ON o.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
"""


def catalogue(connection: Connection) -> dict[str, Any]:
    """Return everything that is known of the tables, but for the one that notes revisions."""
    told = _of_sqlite(connection) if connection.dialect.name == "sqlite" else _of_postgresql(connection)
    return {name: found for name, found in sorted(told.items()) if name != VERSION_TABLE}


def _of_postgresql(connection: Connection) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for query in (_COLUMNS, _INDEXES, _CONSTRAINTS):
        for table, *facts in connection.execute(text(query)):
            found.setdefault(table, []).append(repr(facts))
    return {table: sorted(facts) for table, facts in found.items()}


def _of_sqlite(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    statements = "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    indexes = sorted(map(tuple, connection.execute(text(statements))))
    without_rowid = {row[1] for row in connection.exec_driver_sql("PRAGMA table_list") if row[4]}
    return {
        table: {
            "columns": [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "references": inspector.get_foreign_keys(table),
            "unique": inspector.get_unique_constraints(table),
            "checks": inspector.get_check_constraints(table),
            "indexes": [statement for owner, statement in indexes if owner == table],
            "has no rowid": table in without_rowid,
        }
        for table in inspector.get_table_names()
    }
