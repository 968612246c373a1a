"""Pools of connections that a fork can hold up, and the engines of one database that share them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

if TYPE_CHECKING:
    from bus.sqlite import WriterQueue

#: Seconds that a fork waits for a write transaction of another thread to end.
PAUSE_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of one module's database.

    Attributes:
        writing: The one that writes.
        reading: The one that cannot, and whose transactions see one state.
        probing: The one that asks whether the database answers, and waits for that a few seconds at most.
        gate: Holds both up around a fork.
        writers: Those of this process who wait for the write lock, in turn; None where rows are locked instead.
    """

    writing: Engine
    reading: Engine
    probing: Engine
    gate: ForkGate
    writers: WriterQueue | None = None


class ForkGate:
    """Knows which connections of a database are in use, and keeps others from being taken around a fork.

    A fork in the middle of another thread's call would leave the driver's own locks held in the child, for ever.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forget what is in use: in a forked child those threads do not exist."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._in_use = 0
        self._is_paused = False

    def enter(self) -> None:
        """Count a connection as in use, once nobody is about to fork."""
        with self._lock:
            while self._is_paused:
                self._changed.wait()
            self._in_use += 1

    def leave(self) -> None:
        """Count it no longer."""
        with self._lock:
            self._in_use -= 1
            if self._is_paused:
                self._changed.notify_all()

    def pause(self) -> None:
        """Let no connection be taken, and wait until none is in use, though not for longer than some seconds."""
        with self._lock:
            self._is_paused = True
            self._changed.wait_for(lambda: not self._in_use, PAUSE_TIMEOUT)

    def resume(self) -> None:
        """Let connections be taken again."""
        with self._lock:
            self._is_paused = False
            self._changed.notify_all()


class ClosingPool(QueuePool):
    """A pool that closes what comes back to it after it was disposed of, and that a fork can hold up.

    SQLAlchemy leaves such connections to the garbage collector: a listener that outlives the grace period of a
    stop would leave its file or socket open for as long.
    """

    _is_disposed = False
    gate: ForkGate

    def recreate(self) -> ClosingPool:
        """Return a fresh pool behind the same gate."""
        fresh = super().recreate()
        assert isinstance(fresh, ClosingPool)  # noqa: S101 - SQLAlchemy makes one of the same class
        fresh.gate = self.gate
        return fresh

    def dispose(self) -> None:
        """Close the idle connections, and each of the others when it comes back."""
        self._is_disposed = True
        super().dispose()

    def _do_get(self) -> ConnectionPoolEntry:
        gate = self.gate
        gate.enter()
        try:
            return super()._do_get()
        except BaseException:
            gate.leave()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        try:
            super()._do_return_conn(record)
            if self._is_disposed:
                super().dispose()
        finally:
            self.gate.leave()
