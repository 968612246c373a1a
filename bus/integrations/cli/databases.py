"""What is wrong with a module's database, in a sentence."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bus.database import Database
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


def reason_of(error: SQLAlchemyError) -> str:
    """Return what a database says, without the statement and its parameters: they are code and the users' data."""
    return str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
