"""Where each configured value came from, so that an error can say which place to mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bus import BusError

#: What the names of Flask's environment variables begin with.
PREFIX = "FLASK_"


class ConfigurationError(BusError):
    """Raised at start when a setting is unknown or wrong; says which, whose, and what to do."""


class UnusableDatabaseError(ConfigurationError):
    """Raised at start when a module's database does not answer, or cannot be made."""


class Sources:
    """Knows for each configured key whether the caller or the environment has set it."""

    def __init__(self, given: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self._given = given
        self._environment = [name.removeprefix(PREFIX) for name in environment if name.startswith(PREFIX)]

    def all_keys(self) -> list[str]:
        """Return every key that somebody has set, without what stands behind two underscores."""
        return sorted({*self._given, *(name.split("__")[0] for name in self._environment)})

    def of(self, key: str, part: str | None = None) -> str:
        """Return the place that sets a key, or one part of a key that holds several values."""
        if key in self._given:
            return "the mapping given to create_app"
        names = [name for name in self._environment if name == f"{key}__{part}"]
        names = names or [name for name in self._environment if name.split("__")[0] == key]
        return f"the environment ({', '.join(PREFIX + name for name in names)})" if names else "the default"


def masked(value: object) -> str:
    """Return a setting as it may be shown: what stands between `//` and the last `@` may be a password."""
    return re.sub(r"//.*@", "//***@", str(value))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one, or None where none is."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.75)), None)
