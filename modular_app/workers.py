"""How many threads run each module's listeners."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Config
from sqlalchemy import make_url

from bus.postgresql import WORKERS
from modular_app.sources import ConfigurationError, Sources

#: More would wait for one another: each has a connection of its own, and a server has some hundred for everybody.
MOST = 64


def workers_of(config: Config, sources: Sources, urls: Mapping[str, str]) -> dict[str, int]:
    """Return the threads that run the listeners of each module, by its database.

    Raises:
        ConfigurationError: The number is none, or no module here has a database that takes so many.
    """
    on_postgresql = [name for name, url in urls.items() if make_url(url).get_backend_name() == "postgresql"]
    count = _count(config, sources)
    if count is not None and count > 1 and not on_postgresql:
        raise ConfigurationError(
            f"{sources.of('BUS_WORKERS')} sets BUS_WORKERS to {count}, and every module here keeps its data in SQLite, "
            "which has one writer: the others would only wait; remove it, or set DATABASE_URL to a PostgreSQL database"
        )
    return {name: (count or WORKERS) if name in on_postgresql else 1 for name in urls}


def _count(config: Config, sources: Sources) -> int | None:
    value = config.get("BUS_WORKERS")
    if value is None:
        return None
    text = str(value).strip()
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ConfigurationError(
            f"{sources.of('BUS_WORKERS')} sets BUS_WORKERS to {value!r}; it is a number from 1 to {MOST}, usually "
            f"{WORKERS}"
        )
    return int(text)
