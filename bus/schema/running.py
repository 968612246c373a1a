"""Running revisions with Alembic: the one place where they run."""

from __future__ import annotations

import threading

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

#: The `op` that revisions import is one for the process.
_ONE_AT_A_TIME = threading.Lock()


def run_revisions(context: MigrationContext) -> None:
    """Run what the context's own function yields, in the transaction that its connection is in."""
    with _ONE_AT_A_TIME, Operations.context(context):
        context.run_migrations()
