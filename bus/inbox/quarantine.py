"""Bytes that reached a module and were no envelope: kept for an operator; they stop nothing, and do not vanish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: Bytes of each that are kept.
MAX_KEPT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Bytes that were no envelope.

    Attributes:
        digest: SHA-256 of the whole of them, in hexadecimal digits; the same bytes are kept once.
        first_at: When they first came, microseconds since the epoch.
        last_at: When they last came.
        times: How often they came.
        origin: Where from, in words.
        problem: Why they are no envelope.
        size: How many they were.
        data: At most the first 64 KiB of them.
    """

    digest: str
    first_at: int
    last_at: int
    times: int
    origin: str
    problem: str
    size: int
    data: bytes


class QuarantineStore(Protocol):
    """The quarantine in one module's database."""

    def add(self, data: bytes, *, origin: str, problem: str) -> str:
        """Keep bytes, once however often they come, and commit; return their digest."""
        ...

    def all(self) -> list[Quarantined]:
        """Return what is kept, the newest first; takes no lock."""
        ...

    def remove(self, digest: str) -> bool:
        """Delete what an operator has dealt with, and commit; False where it was not there."""
        ...
