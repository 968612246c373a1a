"""What the bus sends to PostgreSQL past the engine's cursors, which tell nothing of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine


class _Telling(logging.Handler):
    """Tells each statement of an engine; what it raises, the statement raises."""

    def __init__(self, engine: Engine, tell: Callable[[str], object]) -> None:
        super().__init__()
        self._engine = engine
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if record.__dict__["engine"] is self._engine:
            self._tell(record.getMessage())


@contextmanager
def told_of_each(engine: Engine, tell: Callable[[str], object]) -> Iterator[None]:
    """Be told of each statement right before it is sent, and fail it by raising."""
    log, handler = logging.getLogger("bus.statements"), _Telling(engine, tell)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
