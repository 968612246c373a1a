"""The tables of both rows, for the sides that have no modules."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from benchmarks.cluster.job import Job
from benchmarks.order_and_kitchen import KitchenTables, OrderTables


def create_rows(job: Job, *more: str) -> None:
    """Create them, and what more statements ask for."""
    engine = create_engine(job.database)
    for metadata in (OrderTables.metadata, KitchenTables.metadata):
        metadata.create_all(engine)
    with engine.begin() as connection:
        for statement in more:
            connection.execute(text(statement))
    engine.dispose()
