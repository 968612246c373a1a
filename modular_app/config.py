"""The settings of one process: read once, checked, and frozen; what is wrong stops the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Config

from modular_app.databases import database_urls
from modular_app.durations import grace_of, retention_of
from modular_app.hosts import trusted_hosts
from modular_app.sources import ConfigurationError, Sources, listed, nearest
from modular_app.transport import bus_url, signing_keys
from modular_app.workers import workers_of

#: What an application may be told, beside Flask's own keys.
KEYS = (
    "BUS_GRACE",
    "BUS_RETENTION",
    "BUS_SIGNING_KEYS",
    "BUS_URL",
    "BUS_WORKERS",
    "DATABASE_URL",
    "DATABASES",
    "MODULES",
    "TRUSTED_HOSTS",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process runs.

    Attributes:
        bus_url: The transport between the modules.
        signing_keys: Secrets of which the first signs what goes over a broker, and each is believed.
        modules: The modules that this process hosts.
        database_urls: The database of each hosted module.
        workers: The threads that run the listeners of each hosted module.
        retention: For how long completed publications are remembered.
        grace: How long running listeners have to finish when the process is told to end.
        trusted_hosts: The hosts that a request may name; any where there is none.
    """

    bus_url: str
    signing_keys: tuple[str, ...]
    modules: tuple[str, ...]
    database_urls: Mapping[str, str]
    workers: Mapping[str, int]
    retention: timedelta
    grace: timedelta
    trusted_hosts: tuple[str, ...]


def read_settings(config: Config, sources: Sources, *, known: tuple[str, ...], instance: Path) -> Settings:
    """Return the settings that the configuration describes.

    Args:
        config: Flask's configuration, with everything in it.
        sources: Where each of its keys came from.
        known: The names of all modules, hosted or not.
        instance: The folder of databases that nothing is said about.

    Raises:
        ConfigurationError: A key or a value is wrong; the message names it, its source and what
            to do.
    """
    _refuse_unknown_keys(sources)
    modules = _modules(config.get("MODULES"), sources, known)
    urls = database_urls(config, sources, known=known, instance=instance)
    hosted_urls = {name: urls[name] for name in modules}
    return Settings(
        bus_url(config, sources),
        signing_keys(config, sources),
        modules,
        hosted_urls,
        workers_of(config, sources, hosted_urls),
        retention_of(config, sources),
        grace_of(config, sources),
        trusted_hosts(config.get("TRUSTED_HOSTS"), sources),
    )


def _refuse_unknown_keys(sources: Sources) -> None:
    for key in sources.all_keys():
        near = nearest(key.upper(), KEYS)
        if key not in KEYS and (key.upper().startswith("BUS_") or near):
            raise ConfigurationError(
                f"{sources.of(key)} sets {key}, which nothing reads; {_nearest_key(near, key)}",
            )


def _nearest_key(near: str | None, key: str) -> str:
    ours = ", ".join(name for name in KEYS if name.startswith("BUS_"))
    return f"did you mean {near}?" if near else f"remove {key}: of the bus there are only {ours}"


def _modules(value: Any, sources: Sources, known: tuple[str, ...]) -> tuple[str, ...]:
    if value is None or value == "all":
        return known
    names = listed(value)
    if not names:
        raise ConfigurationError(f"{sources.of('MODULES')} sets MODULES to {value!r}: name {', '.join(known)}, or all")
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise ConfigurationError(
                f"{sources.of('MODULES')} sets MODULES to {value!r}: there is no module {name!r}; "
                + (f"did you mean {near}?" if near else f"there are {', '.join(known)}")
            )
    return tuple(name for name in known if name in names)
