"""What is wrong with a module's database, in a sentence."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from bus.database import Database
from bus.database_errors import reason_of
from bus.errors import SchemaError


def database_trouble(database: Database) -> str:
    """Say that a database does not answer, or has not the tables of this code; '' where it does and has."""
    try:
        database.check_tables()
    except SchemaError as error:
        return str(error)
    except SQLAlchemyError as error:
        return f"the database of {database.name!r}, {database.shown_url}, does not answer: {reason_of(error)}"
    return ""
