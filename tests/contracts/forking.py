"""Use a database of a bus, fork, and use it in the child; ends with 1 where that was given a connection of its parent.

Usage: python -m tests.contracts.forking URL
"""

from __future__ import annotations

import os
import sys

from bus import Database, Module, assemble


def connection_of(database: Database) -> object:
    with database.engine.connect() as connection:
        return connection.connection.driver_connection


def main() -> None:
    database = Database("order", sys.argv[1])
    bus = assemble([Module("order", contract=[])], {"order": database})
    of_parent = connection_of(database)
    child = os.fork()
    if child == 0:
        os._exit(connection_of(database) is of_parent)
    _, status = os.waitpid(child, 0)
    bus.stop()
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
