"""What a process has tried, and what it was told: a file that outlives a kill -9."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


class JournalWriter:
    """The journal of one process. Each line is handed to the operating system before the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def close(self) -> None:
        os.close(self._file)

    def trying(self, first: int, count: int, undone: int = 0) -> None:
        """Note a transaction that is about to begin.

        Args:
            first: The first of its numbers, which follow one another.
            count: How many of them are meant to stand.
            undone: How many more it takes back before it commits, with a savepoint or as a whole.
        """
        self._write(f"tried {first} {count} {undone}")

    def acknowledged(self, first: int) -> None:
        """Note that the transaction has returned."""
        self._write(f"acknowledged {first}")

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that was tried.

    Attributes:
        numbers: What it was to bring about, as a whole or not at all.
        undone: What it took back by itself.
        is_acknowledged: Whether its process was told that it is committed.
    """

    numbers: range
    undone: range = range(0)
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """What all processes have tried."""

    attempts: list[Attempt] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many orders were to be placed."""
        return sum(len(attempt.numbers) for attempt in self.attempts)

    @property
    def acknowledged(self) -> int:
        """How many of them are known to be placed."""
        return sum(len(attempt.numbers) for attempt in self.attempts if attempt.is_acknowledged)

    @property
    def undone(self) -> int:
        """How many orders were taken back on purpose."""
        return sum(len(attempt.undone) for attempt in self.attempts)


def read_journals(paths: Iterable[Path]) -> Journal:
    """Return what stands in the journals of several processes."""
    return Journal([attempt for path in paths for attempt in _attempts(path)])


def _attempts(path: Path) -> list[Attempt]:
    lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    told = {int(words[1]) for words in lines if words[0] == "acknowledged"}
    return [_attempt(*map(int, words[1:]), told=told) for words in lines if words[0] == "tried"]


def _attempt(first: int, count: int, undone: int, *, told: set[int]) -> Attempt:
    end = first + count
    return Attempt(range(first, end), range(end, end + undone), first in told)
