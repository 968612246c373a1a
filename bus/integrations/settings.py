"""What a process is set to, as an operator may see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: Its name.
        value: What it is set to; whoever makes this masks what is secret.
        source: Where that came from, in words: `the default`, `the environment (FLASK_BUS_URL)`.
    """

    key: str
    value: str
    source: str
