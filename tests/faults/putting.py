"""Puts a mistake in the place of what is right."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def put(owner: type | ModuleType, name: str, wrong: Any) -> None:
    """Replace a method or a function for the rest of this process.

    Raises:
        AttributeError: There is none of that name: the mistake would change nothing.
    """
    if not hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} has no {name}: this fault would change nothing")
    setattr(owner, name, wrong)
